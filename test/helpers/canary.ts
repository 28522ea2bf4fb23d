import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

/** A secret that stands nowhere else. */
export function newSecret(kind: string): string {
  return `${kind}?${randomUUID()}`;
}

/** Fails when the text shows one of these secrets in any form: as it is, as in a URL, in hex, or in base64. */
export function assertNoneShown(text: string, secrets: readonly string[], where: string): void {
  for (const form of secrets.flatMap(formsOf)) {
    const at = text.indexOf(form);
    assert.ok(at < 0, `${where} shows a secret: ${text.slice(Math.max(0, at - 200), at + 50)}`);
  }
}

function formsOf(secret: string): string[] {
  // How base64 begins and ends depends on what stands before and behind the secret.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), ...base64];
}

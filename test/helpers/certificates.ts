import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key: the files, and the texts in them. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates in a folder of a test; it needs the program `openssl`. */
export class Authority {
  readonly #folder: string;
  readonly #own: Certificate;

  constructor(folder: string, name = 'authority') {
    this.#folder = folder;
    const subject = ['-subj', `/CN=${name}`, '-days', '2'];
    this.#own = certificateAt(folder, name);
    openssl('req', '-x509', ...newKey, '-keyout', this.#own.keyFile, '-out', this.#own.certFile, ...subject);
  }

  /** The certificate of the authority, which clients are to trust. */
  get caFile(): string {
    return this.#own.certFile;
  }

  get ca(): string {
    return readFileSync(this.#own.certFile, 'utf8');
  }

  /**
   * @param names what it is valid for, as `subjectAltName` has it, such as `IP:127.0.0.1`
   * @param days how long it is valid; below 0 it has expired
   */
  sign(
    commonName: string,
    { names = 'IP:127.0.0.1,DNS:localhost', days = 2 }: { names?: string; days?: number } = {},
  ): Certificate {
    const made = certificateAt(this.#folder, commonName);
    const [request, extensions] = ['csr', 'ext'].map((end) => join(this.#folder, `${commonName}.${end}`));
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    openssl('req', ...newKey, '-keyout', made.keyFile, '-out', request, '-subj', `/CN=${commonName}`);
    const by = ['-CA', this.#own.certFile, '-CAkey', this.#own.keyFile, '-CAcreateserial'];
    const as = ['-days', String(days), '-extfile', extensions];
    openssl('x509', '-req', '-in', request, '-out', made.certFile, ...by, ...as);
    return made;
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function certificateAt(folder: string, name: string): Certificate {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  return {
    certFile,
    keyFile,
    get cert() {
      return readFileSync(certFile, 'utf8');
    },
    get key() {
      return readFileSync(keyFile, 'utf8');
    },
  };
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

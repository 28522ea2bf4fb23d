import type { Environment } from '../../src/config/environment.js';
import { startMember, type Member } from './member.js';

/** The members of one group. */
export interface Members {
  readonly all: readonly Member[];
  /** Rejects when the last one has ended. */
  readonly allEnded: Promise<void>;
  /** Asks every member for its readiness. */
  refresh(): Promise<void>;
  /** Lets them finish what is in flight, and says which did not end well. */
  stop(): Promise<readonly Member[]>;
}

/** Starts members and resolves when all of them serve; when one cannot, the others are stopped. */
export async function startMembers(
  numMembers: number,
  flags: readonly string[],
  options: { logFolder: string; environment: Environment },
): Promise<Members> {
  const all = await Promise.all(
    Array.from({ length: numMembers }, (_, index) => startMember(`member ${index + 1}`, flags, options)),
  );
  const stop = async () => {
    const codes = await Promise.all(all.map((member) => member.stop()));
    return all.filter((_, index) => codes[index] !== 0);
  };
  try {
    await Promise.all(all.map((member) => member.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    all,
    allEnded: Promise.all(all.map((member) => member.exited)).then(() => undefined),
    refresh: async () => {
      await Promise.all(all.map((member) => member.refresh()));
    },
    stop,
  };
}

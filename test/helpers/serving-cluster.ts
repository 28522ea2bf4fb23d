import type { Random } from '../../src/simulation/random.js';
import { ServingProcess } from './serving-process.js';

/** Serving members of one group that come and go. */
export class ServingCluster {
  readonly #options: Readonly<Record<string, string | number>>;
  readonly #random: Random;
  readonly #members = new Map<string, ServingProcess>();
  #numStarted = 0;

  /**
   * @param options of every member
   * @param random chooses who is hit
   */
  constructor(options: Readonly<Record<string, string | number>>, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Starts a member, and waits until it is in the group; says which one. */
  async add(): Promise<string> {
    const name = `member-${++this.#numStarted}`;
    const member = new ServingProcess({ ...this.#options, 'client-id': name });
    this.#members.set(name, member);
    await Promise.race([member.line('partitions assigned'), member.line(standsBy)]);
    return name;
  }

  /** Ends one as `kill -9` does. */
  async kill(): Promise<string> {
    const [name, member] = this.#choose();
    this.#members.delete(name);
    member.signal('SIGKILL');
    await member.exit();
    return name;
  }

  /** Lets one finish what is in flight and leave. Fails when it does not do so in order. */
  async remove(): Promise<string> {
    const [name, member] = this.#choose();
    this.#members.delete(name);
    await member.stop();
    return name;
  }

  /** Stops one in the middle of whatever it does; `thaw` lets it go on as if nothing had been. */
  freeze(): { readonly name: string; thaw(): void } {
    const [name, member] = this.#choose();
    this.#members.delete(name);
    member.signal('SIGSTOP');
    return {
      name,
      thaw: () => {
        this.#members.set(name, member);
        member.signal('SIGCONT');
      },
    };
  }

  /** Fails when a member has ended that nobody has ended. */
  check(): void {
    for (const [name, member] of this.#members) {
      if (member.hasEnded) throw new Error(`${name} has ended by itself: ${member.message}`);
    }
  }

  /** Lets all of them finish and leave. */
  async stop(): Promise<void> {
    this.check();
    await Promise.all([...this.#members.values()].map((member) => member.stop()));
    this.#members.clear();
  }

  /** Ends all of them at once; for a test that has failed. */
  abandon(): void {
    for (const member of this.#members.values()) member.signal('SIGKILL');
  }

  #choose(): [name: string, member: ServingProcess] {
    const members = [...this.#members];
    return members[Math.floor(this.#random.uniform(0, members.length))];
  }
}

const standsBy = 'no partition is left for this member; it stands by';

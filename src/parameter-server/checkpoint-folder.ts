import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError, messageOf } from '../errors.js';
import { checkSameSettings, type CheckpointSettings } from '../model/checkpoint-settings.js';
import { readSealedFile, writeSealedFile } from '../model/sealed-file.js';
import { checkCenterState, type CenterState } from './center-variable.js';

export interface CheckpointFolderOptions {
  readonly folder: string;
  /** Of rule and model: a server with others must not go on with it. */
  readonly settings: CheckpointSettings;
  /** How many are kept. */
  readonly keep: number;
  /** Told of a checkpoint that is damaged and put aside, so that the one before it is used. */
  readonly onDamaged: (file: string, reason: string) => void;
}

/** The number is raised whenever the contents change. */
const kind = 'millrace parameter server checkpoint 1';
const fileName = /^checkpoint-(\d{16})\.millrace$/;
const nameAt = (clock: number) => `checkpoint-${String(clock).padStart(16, '0')}.millrace`;

interface Facts {
  readonly settings: CheckpointSettings;
  readonly clock: number;
  readonly positions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly position: string;
  }[];
}

/**
 * The checkpoints of a parameter server, newest last. Each is one file that holds weights, clock and positions together,
 * and is whole or not there.
 */
export class CheckpointFolder {
  readonly #options: CheckpointFolderOptions;

  private constructor(options: CheckpointFolderOptions) {
    this.#options = options;
  }

  /** Throws MILLRACE_FILE_UNUSABLE when there can be no such folder. */
  static async open(options: CheckpointFolderOptions): Promise<CheckpointFolder> {
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new MillraceError(
        'MILLRACE_FILE_UNUSABLE',
        `${options.folder} cannot be the folder of checkpoints: ${messageOf(cause)}.`,
        { cause },
      );
    }
    return new CheckpointFolder(options);
  }

  /** Resolves when the state is on the disk. Throws MILLRACE_FILE_UNUSABLE; what was kept before is then still there. */
  async write({ weights, clock, positions }: CenterState): Promise<void> {
    const { folder, settings, keep } = this.#options;
    const facts: Facts = {
      settings,
      clock,
      positions: positions.map((each) => ({ ...each, position: each.position.toString() })),
    };
    await writeSealedFile(join(folder, nameAt(clock)), kind, { facts, arrays: { weights } });
    for (const name of (await this.#names()).slice(0, -keep)) await rm(join(folder, name), { force: true });
  }

  /**
   * The newest state that is whole; undefined when there is none. One that is damaged is renamed, and the one before it is
   * taken: what was learnt since is learnt again.
   *
   * Throws MILLRACE_CONFIG_INVALID when it is of other settings, MILLRACE_FILE_UNUSABLE when it cannot be read.
   */
  async newest(): Promise<CenterState | undefined> {
    const { folder, onDamaged } = this.#options;
    for (const name of (await this.#names()).reverse()) {
      const file = join(folder, name);
      try {
        return await this.#read(file);
      } catch (error) {
        if (!(error instanceof MillraceError && error.code === 'MILLRACE_CHECKPOINT_INVALID')) throw error;
        await rename(file, `${file}.damaged`);
        onDamaged(file, error.message);
      }
    }
    return undefined;
  }

  /** The clocks of those that are kept, ascending. */
  async clocks(): Promise<number[]> {
    return (await this.#names()).map((name) => Number(fileName.exec(name)![1]));
  }

  async #read(file: string): Promise<CenterState> {
    const { facts, arrays } = await readSealedFile(file, kind);
    const { settings, clock, positions } = facts as Facts;
    checkSameSettings({ file, owner: 'parameter server', place: 'folder' }, settings, this.#options.settings);
    const state = {
      weights: arrays['weights'] as Float32Array,
      clock,
      positions: positions.map((each) => ({ ...each, position: BigInt(each.position) })),
    };
    checkCenterState(state);
    return state;
  }

  async #names(): Promise<string[]> {
    return (await readdir(this.#options.folder)).filter((name) => fileName.test(name)).sort();
  }
}

import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError, messageOf } from '../errors.js';
import { checkAvroSchema } from './avro-schema.js';
import type { SchemaStore } from './schema-store.js';

const fileName = /^([1-9][0-9]{0,9})\.avsc$/;
const maxId = 0x7fffffff;

/**
 * A folder of schemas: `ID.avsc` holds one, and an empty file `subjects/SUBJECT/ID` says that the subject uses it. Any
 * number of processes may register at once: a number is taken by linking a complete file to its name, which happens
 * whole or not at all.
 */
export class LocalSchemaStore implements SchemaStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async register(subject: string, avroSchema: string): Promise<number> {
    if (!/^[A-Za-z0-9._-]{1,255}$/.test(subject) || /^\.+$/.test(subject)) {
      throw new MillraceError(
        'MILLRACE_SCHEMA_INVALID',
        `The subject "${subject}" cannot be the name of a folder.`,
      );
    }
    const text = canonical(avroSchema);
    try {
      await mkdir(join(this.#folder, 'subjects', subject), { recursive: true });
      const id = await this.#findOrAdd(text);
      await (await open(join(this.#folder, 'subjects', subject, String(id)), 'a')).close();
      return id;
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  async get(id: number): Promise<string | undefined> {
    try {
      return await readFile(this.#pathOf(id), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#unusable(error);
    }
  }

  async #findOrAdd(text: string): Promise<number> {
    const ids = await this.#ids();
    for (const id of ids) {
      if (await this.#holds(id, text)) return id;
    }
    const complete = join(this.#folder, `.${randomUUID()}.new`);
    await writeFile(complete, text, { flush: true });
    try {
      for (let id = (ids.at(-1) ?? 0) + 1; id <= maxId; id++) {
        if (await this.#take(complete, id)) return id;
        // Another process was faster; it may have registered the same schema.
        if (await this.#holds(id, text)) return id;
      }
      throw new Error('all numbers are taken');
    } finally {
      await rm(complete, { force: true });
    }
  }

  async #take(complete: string, id: number): Promise<boolean> {
    try {
      await link(complete, this.#pathOf(id));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  async #holds(id: number, text: string): Promise<boolean> {
    const stored = await this.get(id);
    return stored !== undefined && canonical(stored) === text;
  }

  async #ids(): Promise<number[]> {
    const names = await readdir(this.#folder);
    return names
      .map((each) => Number(fileName.exec(each)?.[1]))
      .filter((id) => Number.isInteger(id) && id <= maxId)
      .sort((one, other) => one - other);
  }

  #pathOf(id: number): string {
    return join(this.#folder, `${id}.avsc`);
  }

  #unusable(error: unknown): MillraceError {
    if (error instanceof MillraceError) return error;
    return new MillraceError(
      'MILLRACE_FILE_UNUSABLE',
      `The schema folder ${this.#folder} cannot be used: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

/** The same schema, whatever white space it was written with. */
function canonical(avroSchema: string): string {
  return JSON.stringify(checkAvroSchema(avroSchema));
}

import { JsonName } from './json-name.js';
import type { FieldType, Schema } from './schema.js';

/**
 * What is done with the value of a name: `unused` are the fields of the schema that are neither feature nor key,
 * `unknown` is all else.
 */
export type MemberKind = 'decimal' | 'whole' | 'boolean' | 'text' | 'vector' | 'unused' | 'unknown';

const kinds: Record<FieldType, MemberKind> = {
  float: 'decimal',
  double: 'decimal',
  int: 'whole',
  long: 'whole',
  boolean: 'boolean',
  string: 'text',
  vector: 'vector',
  sparse: 'unknown',
};

/** A name in an object, and what its value is for. */
export class JsonMember {
  /** The row in which it was seen last. */
  seenIn = 0;

  constructor(
    readonly name: JsonName,
    readonly kind: MemberKind,
    readonly isNullable = true,
    readonly isKey = false,
    /** The first of its columns; -1 when it is no feature. */
    readonly column = -1,
    readonly numColumns = 0,
  ) {}
}

/** Names up to this length are remembered, and so many of them. */
const maxNameBytes = 128;
const maxPlaces = 1_000;

/**
 * The members that objects may have. Which one came at which place is remembered: most often it is the same one in the
 * next row.
 */
export class JsonMembers {
  /** Those whose value is asked for. */
  readonly wanted: readonly JsonMember[];
  readonly #byName: ReadonlyMap<string, JsonMember>;
  readonly #byPlace: JsonMember[] = [];

  constructor({ fields, features, key }: Schema) {
    const byName = new Map<string, JsonMember>();
    const columns = new Map<string, number>();
    let numColumns = 0;
    for (const name of features) {
      columns.set(name, numColumns);
      numColumns += fields.find((field) => field.name === name)?.size ?? 1;
    }
    for (const { name, type, size, nullable } of fields) {
      const isKey = name === key;
      const column = columns.get(name) ?? -1;
      const kind = isKey || column !== -1 ? kinds[type] : 'unused';
      byName.set(
        name,
        new JsonMember(new JsonName(`"${name}"`), kind, nullable ?? false, isKey, column, size ?? 1),
      );
    }
    this.#byName = byName;
    this.wanted = [...byName.values()].filter(({ kind }) => kind !== 'unused');
  }

  /** The member that was last found at this place of an object. */
  expectedAt(place: number): JsonMember | undefined {
    return this.#byPlace[place];
  }

  /** The member whose name stands in quotes from `start` to `end`; it is expected at this place from now on. */
  find(bytes: Buffer, start: number, end: number, place: number): JsonMember {
    const quoted = bytes.toString('latin1', start, end);
    const known = this.#byName.get(quoted.slice(1, -1));
    if (place >= maxPlaces || quoted.length < 3 || quoted.length > maxNameBytes) return known ?? unknown;
    return (this.#byPlace[place] = known ?? new JsonMember(new JsonName(quoted), 'unknown'));
  }
}

/** Any member that is not remembered; its name is never compared. */
const unknown = new JsonMember(new JsonName('"unknown"'), 'unknown');

import { JsonName } from './json-name.js';
import { isWanted, noField, type ScannedField } from './scanned-field.js';
import type { FieldType } from './schema.js';

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
export class JsonMember implements ScannedField {
  readonly kind: MemberKind;
  readonly type: FieldType;
  readonly isNullable: boolean;
  readonly isKey: boolean;
  readonly column: number;
  readonly numColumns: number;
  /** The row in which it was seen last. */
  seenIn = 0;

  /** @param field undefined: no field of the schema */
  constructor(
    readonly name: JsonName,
    field?: ScannedField,
  ) {
    const known = field ?? noField;
    this.kind = field === undefined ? 'unknown' : isWanted(field) ? kinds[field.type] : 'unused';
    this.type = known.type;
    this.isNullable = known.isNullable;
    this.isKey = known.isKey;
    this.column = known.column;
    this.numColumns = known.numColumns;
  }
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

  constructor(fields: ReadonlyMap<string, ScannedField>) {
    this.#byName = new Map(
      [...fields].map(([name, field]) => [name, new JsonMember(new JsonName(`"${name}"`), field)]),
    );
    this.wanted = [...this.#byName.values()].filter(isWanted);
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
    return (this.#byPlace[place] = known ?? new JsonMember(new JsonName(quoted)));
  }
}

/** Any member that is not remembered; its name is never compared. */
const unknown = new JsonMember(new JsonName('"unknown"'));

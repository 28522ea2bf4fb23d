import { defineOptions, type Compiled } from '../config/options.js';
import { MillraceError } from '../errors.js';
import { isMissing, parseNumber } from './cell.js';
import { CsvSource, type CsvSourceOptions } from './csv-source.js';
import { fieldNameOf } from './field-name.js';
import { vectorColumns } from './row-parser.js';
import { readSchemaFile } from './schema-file.js';
import { checkSchema, fieldTypes, type Field, type FieldType, type Schema } from './schema.js';

/** Options of every program that must know what the rows hold. */
export const schemaOptions = defineOptions({
  schema: {
    type: 'string',
    placeholder: 'FILE',
    description: 'Schema of the rows, as JSON or Avro (.avsc); without it, it is inferred',
    section: 'Schema',
  },
  label: {
    type: 'string',
    placeholder: 'COLUMN',
    description: 'Column that holds the known answer',
    section: 'Schema',
  },
  key: {
    type: 'string',
    placeholder: 'COLUMN',
    description: 'Column that identifies a row and keys its record',
    section: 'Schema',
  },
  drop: { type: 'list', description: 'Columns that are left out', section: 'Schema' },
  types: {
    type: 'list',
    placeholder: 'A=int,B=string?',
    description: `Types of columns that must not be guessed: ${fieldTypes.slice(0, 6).join(', ')}; ? behind it allows empty cells; V=vector:3 makes one field of V0, V1, V2`,
    section: 'Schema',
  },
});

export type SchemaOptions = Compiled<typeof schemaOptions>;

/** What is known of a schema before the data is seen. Columns may be named as in the header. */
export interface SchemaHints extends Partial<Omit<SchemaOptions, 'schema'>> {
  /** Name of the schema; `observation` unless given. */
  readonly name?: string | undefined;
}

/**
 * The schema of rows with these columns, guessed from a sample of their cells. A column is `int`, `long` or `double` if
 * all its cells are such numbers, `boolean` if all are true or false, `string` otherwise (also for numbers with leading
 * zeros and beyond 2^53, which would lose digits); a number or boolean of which some cells are missing is nullable.
 * Every field but key and label is a feature.
 *
 * Throws MILLRACE_COLUMN_MISSING when a hint names a column that is not there, MILLRACE_CONFIG_INVALID when a type
 * cannot be understood, MILLRACE_SCHEMA_INVALID when what results cannot be a schema.
 */
export function inferSchema(
  titles: readonly string[],
  sample: readonly (readonly string[])[],
  hints: SchemaHints = {},
): Schema {
  const columns = titles.map(fieldNameOf);
  const types = parseTypes(hints.types ?? []);
  const key = hints.key === undefined ? undefined : existing(fieldNameOf(hints.key), columns);
  const label = hints.label === undefined ? undefined : existing(fieldNameOf(hints.label), columns);
  const dropped = new Set((hints.drop ?? []).map((title) => existing(fieldNameOf(title), columns)));
  for (const name of [key, label]) {
    if (name !== undefined && dropped.has(name)) {
      throw new MillraceError('MILLRACE_CONFIG_INVALID', `"${name}" is the key or label: do not --drop it.`);
    }
  }
  const fields: Field[] = [];
  const inVector = new Map<string, Field>();
  for (const field of types.values()) {
    if (field.type !== 'vector') existing(field.name, columns);
    else for (const column of vectorColumns(field)) inVector.set(existing(column, columns), field);
  }
  columns.forEach((column, index) => {
    const vector = inVector.get(column);
    if (dropped.has(column)) return;
    if (vector === undefined) fields.push(types.get(column) ?? inferField(column, index, sample));
    else if (!fields.includes(vector)) fields.push(vector);
  });
  const features = fields.map((field) => field.name).filter((name) => name !== key && name !== label);
  return checkSchema({
    name: hints.name ?? 'observation',
    fields,
    ...(key === undefined ? {} : { key }),
    ...(label === undefined ? {} : { label }),
    features,
  });
}

/**
 * The schema of an open source: the file that `--schema` names, or what the sample shows. `--key` and `--label` may
 * give a schema from a file its roles.
 *
 * Throws as `inferSchema` and `readSchemaFile` do; also MILLRACE_CONFIG_INVALID when `--drop` or `--types` contradicts
 * the file.
 */
export async function schemaOf(
  source: Pick<CsvSource, 'columns' | 'sample'>,
  options: SchemaOptions,
  name?: string,
): Promise<Schema> {
  const { schema: file, ...hints } = options;
  if (file === undefined) return inferSchema(source.columns, source.sample(), { ...hints, name });
  for (const other of ['drop', 'types'] as const) {
    if (hints[other] !== undefined) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        `Give either --schema or --${other}, not both: the schema says it.`,
      );
    }
  }
  return withRoles(await readSchemaFile(file), hints);
}

function withRoles(schema: Schema, hints: SchemaHints): Schema {
  const names = schema.fields.map((field) => field.name);
  const key = hints.key === undefined ? schema.key : existing(fieldNameOf(hints.key), names);
  const label = hints.label === undefined ? schema.label : existing(fieldNameOf(hints.label), names);
  return checkSchema({
    ...schema,
    ...(key === undefined ? {} : { key }),
    ...(label === undefined ? {} : { label }),
    features: schema.features.filter((name) => name !== hints.key && name !== label),
  });
}

/** The schema of CSV files, for programs that read them more than once: `schemaOf` over `CsvSource.open`. */
export async function schemaOfFiles(
  files: readonly string[],
  options: SchemaOptions & CsvSourceOptions,
  name?: string,
): Promise<Schema> {
  const source = await CsvSource.open(files, options);
  try {
    return await schemaOf(source, options, name);
  } finally {
    await source.close();
  }
}

function existing(column: string, columns: readonly string[]): string {
  if (columns.includes(column)) return column;
  throw new MillraceError(
    'MILLRACE_COLUMN_MISSING',
    `There is no column "${column}"; the columns are ${columns.join(', ')}.`,
    { facts: { column } },
  );
}

/** `A=int`, `B=double?` (nullable), `C=vector:3` */
function parseTypes(types: readonly string[]): Map<string, Field> {
  return new Map(
    types.map((text) => {
      const match = /^(.+)=([a-z]+)(?::(\d{1,7}))?(\?)?$/.exec(text);
      const type = match?.[2] as FieldType;
      if (match === null || !fieldTypes.includes(type)) {
        throw new MillraceError(
          'MILLRACE_CONFIG_INVALID',
          `--types takes COLUMN=TYPE with one of ${fieldTypes.join(', ')}, not ${JSON.stringify(text)}.`,
        );
      }
      const name = fieldNameOf(match[1]);
      const size = match[3] === undefined ? {} : { size: Number(match[3]) };
      return [name, { name, type, ...size, ...(match[4] === undefined ? {} : { nullable: true }) }];
    }),
  );
}

function inferField(name: string, index: number, sample: readonly (readonly string[])[]): Field {
  const candidates = new Set<FieldType>(['int', 'long', 'double', 'boolean']);
  let numMissing = 0;
  let numPresent = 0;
  let before: readonly FieldType[] | undefined;
  for (const cells of sample) {
    const cell = cells[index];
    if (cell === undefined) continue;
    const plain = typesOfPlainNumber(cell);
    if (plain === undefined && isMissing(cell)) {
      numMissing++;
      continue;
    }
    numPresent++;
    const possible = plain ?? typesOfCell(cell);
    if (possible === before) continue;
    before = possible;
    for (const type of candidates) if (!possible.includes(type)) candidates.delete(type);
    if (candidates.size === 0) break;
  }
  const [type] = numPresent === 0 ? [] : candidates;
  if (type === undefined) return { name, type: 'string' };
  return numMissing > 0 ? { name, type, nullable: true } : { name, type };
}

const wholeTypes: readonly FieldType[] = ['int', 'long', 'double'];
const fractionTypes: readonly FieldType[] = ['double'];

/**
 * What `typesOfCell` says of a number as most are written, found without matching patterns: `["-"] *DIGIT ["." 1*DIGIT]`
 * of at most 9 characters, without zeros before it. Undefined for any other cell.
 */
function typesOfPlainNumber(cell: string): readonly FieldType[] | undefined {
  const [minus, point, zero, nine] = [0x2d, 0x2e, 0x30, 0x39];
  const first = cell.charCodeAt(0) === minus ? 1 : 0;
  if (cell.length === first || cell.length > 9) return undefined;
  if (cell.charCodeAt(first) === zero && cell.length > first + 1 && cell.charCodeAt(first + 1) !== point) {
    return undefined;
  }
  let isWhole = true;
  for (let at = first; at < cell.length; at++) {
    const code = cell.charCodeAt(at);
    if (code >= zero && code <= nine) continue;
    if (code !== point || !isWhole || at === cell.length - 1) return undefined;
    isWhole = false;
  }
  return isWhole ? wholeTypes : fractionTypes;
}

/** The types, from narrow to wide, that hold this cell without loss. */
function typesOfCell(cell: string): readonly FieldType[] {
  const text = cell.trim();
  if (/^(true|false)$/i.test(text)) return ['boolean'];
  const number = parseNumber(text);
  if (number === undefined || /^[+-]?0\d/.test(text)) return [];
  if (!/^[+-]?\d+$/.test(text)) return fractionTypes;
  if (!Number.isSafeInteger(number)) return [];
  return number === (number | 0) ? wholeTypes : ['long', 'double'];
}

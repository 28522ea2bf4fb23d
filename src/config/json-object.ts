import { MillraceError, type ErrorCode } from '../errors.js';

interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

/**
 * Reads an object that came from outside, field by field. A field that is not of its type is refused with a sentence
 * that names it; `end` refuses fields that nobody asked for. Optional readers give undefined for an absent field.
 */
export class JsonObject {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #code: ErrorCode;
  readonly #read = new Set<string>();

  /** `where`: how messages call the object, such as "Imputer options". Throws `code` when the value is no object. */
  constructor(value: unknown, where: string, code: ErrorCode) {
    this.#where = where;
    this.#code = code;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new MillraceError(code, `${where} must be an object.`);
    }
    this.#fields = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  /** The field as it is, whatever it is. */
  any(name: string): unknown {
    return this.#get(name);
  }

  string(name: string): string {
    const value = this.#get(name);
    return typeof value === 'string' ? value : this.#refuse(name, 'text');
  }

  optionalString(name: string): string | undefined {
    return this.has(name) ? this.string(name) : undefined;
  }

  choice<const T extends string>(name: string, choices: readonly T[], fallback?: T): T {
    const value = this.#get(name) ?? fallback;
    return choices.find((choice) => choice === value) ?? this.#refuse(name, `one of ${choices.join(', ')}`);
  }

  number(name: string, range: NumberRange = {}): number {
    const value = this.#get(name);
    return isNumber(value, range) ? value : this.#refuse(name, describeRange(range));
  }

  optionalNumber(name: string, range: NumberRange = {}): number | undefined {
    return this.has(name) ? this.number(name, range) : undefined;
  }

  boolean(name: string, fallback?: boolean): boolean {
    const value = this.#get(name) ?? fallback;
    return typeof value === 'boolean' ? value : this.#refuse(name, 'true or false');
  }

  strings(name: string): string[] {
    return this.array(name).map((each) =>
      typeof each === 'string' ? each : this.#refuse(name, 'a list of text'),
    );
  }

  optionalStrings(name: string): string[] | undefined {
    return this.has(name) ? this.strings(name) : undefined;
  }

  numbers(name: string, range: NumberRange = {}): number[] {
    return this.array(name).map((each) =>
      isNumber(each, range) ? each : this.#refuse(name, `a list, each ${describeRange(range)}`),
    );
  }

  array(name: string): readonly unknown[] {
    const value = this.#get(name);
    return Array.isArray(value) ? value : this.#refuse(name, 'a list');
  }

  object(name: string): JsonObject {
    return new JsonObject(this.#get(name), `"${name}" of ${this.#where}`, this.#code);
  }

  objects(name: string): JsonObject[] {
    return this.array(name).map(
      (each, index) => new JsonObject(each, `"${name}[${index}]" of ${this.#where}`, this.#code),
    );
  }

  /** Throws when the object has a field that was never read. */
  end(): void {
    const unknown = Object.keys(this.#fields).find((name) => !this.#read.has(name));
    if (unknown !== undefined) {
      const known = [...this.#read].join(', ');
      throw this.invalid(
        `has the unknown field "${unknown}"; ${known === '' ? 'it takes none' : `known are ${known}`}.`,
      );
    }
  }

  /** An error about this object: its name, then the predicate. */
  invalid(predicate: string): MillraceError {
    return new MillraceError(this.#code, `${this.#where} ${predicate}`);
  }

  #get(name: string): unknown {
    this.#read.add(name);
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  #refuse(name: string, expected: string): never {
    throw this.invalid(
      this.has(name) ? `needs "${name}" to be ${expected}.` : `needs "${name}": ${expected}.`,
    );
  }
}

function isNumber(value: unknown, range: NumberRange): value is number {
  return (
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (!range.integer || Number.isSafeInteger(value)) &&
    value >= (range.min ?? -Infinity) &&
    value <= (range.max ?? Infinity)
  );
}

function describeRange({ min, max, integer }: NumberRange): string {
  const bounds = [min === undefined ? '' : ` from ${min}`, max === undefined ? '' : ` up to ${max}`].join('');
  return `${integer ? 'a whole number' : 'a number'}${bounds}`;
}

import { MillraceError } from '../errors.js';
import type { Column } from './feature-matrix.js';

/** What a column's cells are: numbers, or indices of text or sparse vectors. */
export type ColumnKind = 'number' | 'text' | 'sparse';

export function columnKind(column: Column): ColumnKind {
  if (column.text !== undefined) return 'text';
  return column.sparse !== undefined ? 'sparse' : 'number';
}

/** The columns that a transformer works on: named ones, or all of the kinds it can work on. */
export class ColumnSelection {
  readonly #owner: string;
  readonly #names: readonly string[] | undefined;
  readonly #kinds: readonly ColumnKind[];
  #resolvedFor: readonly Column[] | undefined;
  #resolved: Int32Array = new Int32Array(0);

  /**
   * @param owner how messages call the one who selects
   * @param names a column's name, or the name of a vector for all of its columns `name[0]`...; undefined for all
   * @param kinds the kinds it can work on; a named column must be of one of them, and the first is what "all" means
   */
  constructor(
    owner: string,
    names: readonly string[] | undefined,
    kinds: readonly ColumnKind[] = ['number'],
  ) {
    this.#owner = owner;
    this.#names = names;
    this.#kinds = kinds;
    if (names !== undefined && (names.length === 0 || new Set(names).size !== names.length)) {
      throw this.#invalid('needs at least one column, and each of them once');
    }
  }

  /**
   * The places of the selected columns, in the order of the names (of the matrix, for all of a kind).
   * Throws MILLRACE_TRANSFORMER_INVALID when one is not there or of another kind.
   */
  resolve(columns: readonly Column[]): Int32Array {
    // A reader makes all its matrices of numbers with one and the same array of columns.
    if (columns !== this.#resolvedFor) {
      this.#resolved = Int32Array.from(
        this.#names === undefined ? this.#allOfKind(columns) : this.#named(this.#names, columns),
      );
      this.#resolvedFor = columns;
    }
    return this.#resolved;
  }

  #allOfKind(columns: readonly Column[]): number[] {
    return [...columns.keys()].filter((index) => columnKind(columns[index]) === this.#kinds[0]);
  }

  #named(names: readonly string[], columns: readonly Column[]): number[] {
    const places = new Map(columns.map((column, index) => [column.name, index]));
    const indices = names.flatMap((name) => {
      const place = places.get(name);
      if (place !== undefined) return [place];
      const elements = vectorElements(name, places);
      if (elements.length === 0) {
        throw this.#invalid(`needs the column "${name}"; there are ${listed([...places.keys()])}`);
      }
      return elements;
    });
    if (new Set(indices).size !== indices.length) throw this.#invalid('names a column twice');
    for (const index of indices) {
      if (!this.#kinds.includes(columnKind(columns[index]))) {
        throw this.#invalid(
          `works on columns of ${this.#kinds.join(' or ')}, and "${columns[index].name}" holds ${columnKind(columns[index])}`,
        );
      }
    }
    return indices;
  }

  #invalid(predicate: string): MillraceError {
    return new MillraceError('MILLRACE_TRANSFORMER_INVALID', `${this.#owner} ${predicate}.`);
  }
}

/** The places of `name[0]`, `name[1]`... */
function vectorElements(name: string, places: ReadonlyMap<string, number>): number[] {
  const elements: number[] = [];
  for (let index = 0; ; index++) {
    const place = places.get(`${name}[${index}]`);
    if (place === undefined) return elements;
    elements.push(place);
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 40).join(', ');
  return names.length > 40 ? `${shown} and ${names.length - 40} more` : shown;
}

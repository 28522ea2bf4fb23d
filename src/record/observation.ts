/** A vector given by its non-zero places. `indices` ascend and are below the field's size. */
export interface SparseVector {
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

export type FieldValue = number | string | boolean | null | readonly number[] | SparseVector;

/**
 * One row as it travels: field name to value. An observation that was decoded has no prototype, so that a field
 * called like a method of Object is only a field.
 */
export type Observation = Readonly<Record<string, FieldValue>>;

import type { Observation } from '../record/observation.js';
import type { RowScanner, ScannedRow } from '../record/row-scanner.js';
import type { Field } from '../record/schema.js';
import { FeatureCells, ownValue, type PlannedField } from './feature-cells.js';
import type { Column } from './feature-matrix.js';
import { missing, notFinite, wrongType } from './field-faults.js';
import type { RowBatch } from './row-batch.js';
import { RowFaults, isRowFault, type RowFault } from './row-faults.js';

/** Fields, and the columns that they make. */
export interface PlannedColumns {
  readonly fields: readonly PlannedField[];
  readonly columns: readonly Column[];
}

/** What is taken out of each row. */
export interface BatchPlan {
  readonly features: PlannedColumns;
  readonly label: PlannedColumns | undefined;
  readonly key: Field | undefined;
}

/** A batch of so many rows while they are added, one after the other. */
export class BatchBuilder {
  readonly #plan: BatchPlan;
  readonly #features: FeatureCells;
  readonly #labels: FeatureCells | undefined;
  readonly #faults = new RowFaults();
  readonly #keys: (string | number | boolean | null)[] = [];
  readonly #scanned: ScannedRow;

  constructor(plan: BatchPlan, numRows: number) {
    const { features, label } = plan;
    this.#plan = plan;
    this.#features = new FeatureCells(features.fields, features.columns, numRows);
    this.#labels = label && new FeatureCells(label.fields, label.columns, numRows);
    this.#scanned = { cells: this.#features.data, start: 0, texts: [], key: null };
  }

  /** Adds a row, or what stands for one that could not be decoded. */
  add(observation: Observation | RowFault): void {
    const row = this.#keys.length;
    if (isRowFault(observation)) {
      this.#faults.add(row, observation);
      this.#keys.push(null);
      return;
    }
    const { key } = this.#plan;
    const keyValue = key === undefined ? null : readKey(observation, key);
    const fault =
      (isRowFault(keyValue) ? keyValue : undefined) ??
      this.#features.readRow(observation, row) ??
      this.#labels?.readRow(observation, row);
    if (fault !== undefined) this.#faults.add(row, fault);
    this.#keys.push(isRowFault(keyValue) ? null : keyValue);
  }

  /** Adds the row that the scanner reads; false when it gives up, and then the row is still to be added. */
  scan(scanner: RowScanner, value: Buffer): boolean {
    const row = this.#keys.length;
    const scanned = this.#scanned;
    scanned.start = this.#features.startOf(row);
    if (!scanner.scan(value, 0, value.length, scanned)) {
      scanned.cells.fill(0, scanned.start, this.#features.startOf(row + 1));
      return false;
    }
    this.#features.writeTexts(row, scanned.texts);
    this.#keys.push(scanned.key);
    return true;
  }

  finish(): RowBatch {
    return {
      features: this.#features.finish(),
      faults: this.#faults,
      keys: this.#keys,
      ...(this.#labels && { labels: this.#labels.finish() }),
    };
  }
}

function readKey(observation: Observation, field: Field): string | number | boolean | null | RowFault {
  const value = ownValue(observation, field.name);
  if (value === undefined || value === null) return field.nullable ? null : missing(field);
  switch (field.type) {
    case 'string':
      return typeof value === 'string' ? value : wrongType(field);
    case 'boolean':
      return typeof value === 'boolean' ? value : wrongType(field);
    case 'int':
    case 'long':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : wrongType(field);
    case 'float':
    case 'double':
      if (typeof value !== 'number') return wrongType(field);
      return Number.isFinite(value) ? value : notFinite(field);
    case 'vector':
    case 'sparse':
      return wrongType(field);
  }
}

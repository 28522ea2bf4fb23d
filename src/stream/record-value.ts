import { RowFault } from '../features/row-faults.js';
import type { IncomingRecord } from './incoming-record.js';

/** The value of a record, or why there is none. A record makes its value anew at each asking. */
export function valueOf({
  unreadable,
  value,
}: Pick<IncomingRecord, 'unreadable' | 'value'>): Buffer | RowFault {
  if (unreadable !== undefined) return new RowFault('MILLRACE_ROW_BATCH_UNREADABLE', unreadable);
  return value ?? new RowFault('MILLRACE_ROW_EMPTY', 'The record has no value.');
}

/** Millrace, the library: the names that are public. */
export {
  ExitCode,
  MillraceError,
  RowError,
  errorTable,
  type ErrorCode,
  type RowErrorCode,
} from './errors.js';

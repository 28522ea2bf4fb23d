/**
 * Every way Millrace can fail, by a stable code.
 *
 * `retriable` says whether the same call may succeed later without anyone changing anything.
 * `exitCode` is what a program ends with when the error reaches it.
 */
interface ErrorTraits {
  readonly retriable: boolean;
  readonly exitCode: number;
}

/** Exit codes of the programs: 0 all well, and these. */
export const ExitCode = {
  /** Something broke that is no fault of the input or the configuration. */
  failed: 1,
  /** The command line, the environment or a file named by them must be changed. */
  configuration: 2,
  /** The run finished, and some rows were rejected (they are in the dead-letter topic or file). */
  rowsRejected: 3,
  /** A service that is needed cannot be reached. */
  unavailable: 4,
} as const;

const configuration = { retriable: false, exitCode: ExitCode.configuration } as const;
const failed = { retriable: false, exitCode: ExitCode.failed } as const;
const unavailable = { retriable: true, exitCode: ExitCode.unavailable } as const;
const row = { retriable: false, exitCode: ExitCode.rowsRejected } as const;

export const errorTable = {
  /** An option is missing, malformed, out of range, or excludes another one. */
  MILLRACE_CONFIG_INVALID: configuration,
  /** A file that was named does not exist, is a directory, or cannot be read or written. */
  MILLRACE_FILE_UNUSABLE: configuration,
  /** The input holds no rows. */
  MILLRACE_INPUT_EMPTY: configuration,
  /** Files that rows were sent from are not the same any more, so that it is not known where to go on. */
  MILLRACE_INPUT_CHANGED: configuration,
  /** The position of a producing job cannot be understood. */
  MILLRACE_POSITION_INVALID: configuration,
  /** A checkpoint is damaged, or not one of such a run. */
  MILLRACE_CHECKPOINT_INVALID: configuration,
  /** A column that was named is not in the data. */
  MILLRACE_COLUMN_MISSING: configuration,
  /** A schema contradicts itself, the data, or another schema. */
  MILLRACE_SCHEMA_INVALID: configuration,
  /** A transformer cannot be built, fitted or applied to these columns. */
  MILLRACE_TRANSFORMER_INVALID: configuration,
  /** A model specification or model folder cannot be understood. */
  MILLRACE_MODEL_INVALID: configuration,
  /** A model bundle is damaged, tampered with, of an unknown format, or answers differently than when it was saved. */
  MILLRACE_BUNDLE_INVALID: configuration,
  /** A topic does not exist and was not asked to be created. */
  MILLRACE_TOPIC_MISSING: configuration,

  /** No broker answers, or the broker refused the credentials. */
  MILLRACE_BROKER_UNAVAILABLE: unavailable,
  /** The consumer ended and will not be restarted by its client. */
  MILLRACE_CONSUMER_CRASHED: failed,
  /** What follows the position of the group is not in the topic any more, and `--on-gap fail` was given. */
  MILLRACE_POSITION_LOST: configuration,
  /** Records could not be written. */
  MILLRACE_PRODUCE_FAILED: { retriable: true, exitCode: ExitCode.unavailable },
  /** Another process has taken over what this one wrote in transactions, or the broker gave its transaction up. */
  MILLRACE_TRANSACTION_FENCED: { retriable: true, exitCode: ExitCode.failed },
  /** Another process goes on with the same producing job. */
  MILLRACE_JOB_TAKEN_OVER: failed,
  /** A topic is missing, full, or not to be written by this user; it is tried again until somebody has mended that. */
  MILLRACE_TOPIC_UNWRITABLE: unavailable,
  /** A topic refused records for their size. */
  MILLRACE_RECORD_TOO_LARGE: { retriable: false, exitCode: ExitCode.rowsRejected },
  /** The parameter server does not answer, or can change nothing at present. */
  MILLRACE_PARAMETER_SERVER_UNAVAILABLE: unavailable,
  /** The parameter server refused the token, or is one of another model. */
  MILLRACE_PARAMETER_SERVER_REFUSED: configuration,
  /** The schema registry did not answer, or refused. */
  MILLRACE_REGISTRY_UNAVAILABLE: unavailable,
  /** The embedded broker could not be set up or did not become ready. */
  MILLRACE_EMBEDDED_BROKER_FAILED: failed,
  /** TensorFlow could not be set up or loaded. */
  MILLRACE_TENSORFLOW_UNAVAILABLE: failed,
  /** The compute thread ended or a computation failed as a whole. */
  MILLRACE_COMPUTE_FAILED: failed,
  /** The loss is no longer a finite number. */
  MILLRACE_TRAINING_DIVERGED: failed,
  /** Rows that are there were neither fetched nor answered for too long, and no known trouble explains it. */
  MILLRACE_STALLED: failed,
  /** What was written is not what was read: counts that must be equal differ. */
  MILLRACE_COUNT_MISMATCH: failed,
  /** The deadline for finishing what was in flight passed. */
  MILLRACE_DRAIN_TIMEOUT: failed,
  /** A fault nobody foresaw; please report it. */
  MILLRACE_INTERNAL: failed,

  /** An HTTP request is malformed, or of a method or content type that its route does not take. */
  MILLRACE_REQUEST_INVALID: failed,
  /** An HTTP request, or the number of its rows, is larger than the limit. */
  MILLRACE_REQUEST_TOO_LARGE: failed,
  /** An HTTP request did not carry the token that its route needs. */
  MILLRACE_REQUEST_UNAUTHORIZED: failed,
  /** A client sends more HTTP requests than the limit allows; it may go on after `retry-after` seconds. */
  MILLRACE_REQUEST_LIMITED: { retriable: true, exitCode: ExitCode.failed },
  /** An HTTP request was not received, or not answered, in time. */
  MILLRACE_REQUEST_TIMEOUT: { retriable: true, exitCode: ExitCode.failed },
  /** There is no such HTTP route. */
  MILLRACE_ROUTE_UNKNOWN: failed,
  /** The process is starting or ending and does not answer such requests now. */
  MILLRACE_NOT_READY: unavailable,

  /** The record has no value (a tombstone). */
  MILLRACE_ROW_EMPTY: row,
  /** The batch that rows came in cannot be unpacked: it would be too large, is damaged, or packed in an unknown way. */
  MILLRACE_ROW_BATCH_UNREADABLE: row,
  /** The value is larger than the limit. */
  MILLRACE_ROW_TOO_LARGE: row,
  /** The bytes are not a record of the expected format. */
  MILLRACE_ROW_UNDECODABLE: row,
  /** The schema that the record names is not known. */
  MILLRACE_ROW_SCHEMA_UNKNOWN: row,
  /** The row has more or fewer fields than the header. */
  MILLRACE_ROW_FIELD_COUNT: row,
  /** A feature or label that is needed is not in the row. */
  MILLRACE_ROW_COLUMN_MISSING: row,
  /** A field is not of its type, such as text where a number must be. */
  MILLRACE_ROW_FIELD_TYPE: row,
  /** A feature is NaN or infinite, or does not fit float32. */
  MILLRACE_ROW_NOT_FINITE: row,
  /** A category or label that was not seen when the transformer was fitted. */
  MILLRACE_ROW_LABEL_UNKNOWN: row,
  /** The model failed on this row by itself, or answered with something that is not finite. */
  MILLRACE_ROW_MODEL_FAILED: row,
  /** The output topic takes no such answer: one without a key, as it is compacted, or of a time so long ago. */
  MILLRACE_ROW_REFUSED: row,
} as const satisfies Record<`MILLRACE_${string}`, ErrorTraits>;

export type ErrorCode = keyof typeof errorTable;
/** Codes that describe one row; everything else describes the run. */
export type RowErrorCode = Extract<ErrorCode, `MILLRACE_ROW_${string}`>;

export interface MillraceErrorOptions {
  /** The facts as fields, for logs and tests; never a secret, never a whole row. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Thrown for every foreseen failure. The message is one sentence that says what to do. */
export class MillraceError extends Error {
  override readonly name: string = 'MillraceError';
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly exitCode: number;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: MillraceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retriable = errorTable[code].retriable;
    this.exitCode = errorTable[code].exitCode;
    this.facts = options.facts ?? {};
  }
}

/** Thrown when one row cannot be used. It never stops a stream: it becomes a dead letter. */
export class RowError extends MillraceError {
  override readonly name = 'RowError';
  declare readonly code: RowErrorCode;

  constructor(code: RowErrorCode, message: string, options: MillraceErrorOptions = {}) {
    super(code, message, options);
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

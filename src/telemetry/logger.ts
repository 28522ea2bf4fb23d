import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never reach a log line, wherever they stand. */
const secretFields = ['password', 'token', 'secret', 'authorization', 'cookie', 'sasl', 'ssl'];

/** A logger of JSON lines with ISO time; secrets are hidden. Lines go to standard error unless told otherwise. */
export function createLogger(options: {
  name: string;
  level: LogLevel;
  destination?: DestinationStream;
}): Logger {
  return pino(
    {
      name: options.name,
      level: options.level,
      timestamp: stdTimeFunctions.isoTime,
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '(hidden)',
      },
    },
    options.destination ?? pino.destination(2),
  );
}

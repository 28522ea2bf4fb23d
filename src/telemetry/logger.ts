import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never reach a log line, wherever they stand. */
const secretFields = ['password', 'token', 'secret', 'authorization', 'cookie', 'sasl', 'ssl'];

/**
 * A logger of JSON lines with ISO time; secrets are hidden. Lines go to standard error unless told otherwise.
 *
 * @param options.forPeople lines with colours and the time of day, for a terminal
 */
export function createLogger(options: {
  name: string;
  level: LogLevel;
  destination?: DestinationStream;
  forPeople?: boolean;
}): Logger {
  const destination =
    options.destination ??
    (options.forPeople
      ? pretty({
          destination: 2,
          sync: true,
          ignore: 'pid,hostname,name',
          translateTime: 'SYS:HH:MM:ss',
          singleLine: true,
        })
      : pino.destination(2));
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
    destination,
  );
}

import { writeSync } from 'node:fs';
import { ExitCode, messageOf } from '../errors.js';

/**
 * Ctrl-C under `npm start` reaches a program twice, from the terminal and from npm, which passes it on. Signals this
 * close together are one request.
 */
const sameRequestMs = 300;

/** What of `process` is needed; a test gives its own. */
export interface SignalSource {
  on(event: string, listener: (value: unknown) => void): unknown;
  exit(code: number): void;
}

/**
 * Listens to what asks a process to end: the first SIGINT or SIGTERM aborts the signal that is returned, so that work
 * in flight is finished; a second one ends the process at once, with code 1. A fault that nobody caught does the same
 * as a signal, and the exit code is then 1. A process that was started with an IPC channel also drains when its
 * parent is gone.
 *
 * @param finished resolves to the exit code once the work is done; the process then ends with it
 * @param deadlineMs how long that may take; then the process ends with code 1
 */
export function listenForShutdown(
  finished: Promise<number>,
  deadlineMs: number,
  log: (line: string) => void,
  source: SignalSource = process,
): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;

  const drain = async (faulty: boolean) => {
    firstAt = performance.now();
    setTimeout(() => {
      log(`not drained within ${deadlineMs} ms: ending`);
      source.exit(ExitCode.failed);
    }, deadlineMs).unref();
    controller.abort();
    const code = await finished.catch(() => ExitCode.failed);
    source.exit(faulty ? ExitCode.failed : code);
  };
  const onSignal = (signal: unknown) => {
    if (firstAt === undefined) return void drain(false);
    if (performance.now() - firstAt < sameRequestMs) return;
    log(`second ${String(signal)}: ending at once`);
    source.exit(ExitCode.failed);
  };
  const onFault = (fault: unknown) => {
    log(`unforeseen fault: ${fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)}`);
    if (firstAt === undefined) void drain(true);
    else source.exit(ExitCode.failed);
  };

  source.on('SIGINT', onSignal);
  source.on('SIGTERM', onSignal);
  source.on('disconnect', () => onSignal('disconnect'));
  source.on('uncaughtException', onFault);
  source.on('unhandledRejection', onFault);
  return controller.signal;
}

/**
 * Ends this process as `kill -9` does, and says why. An exit waits for every thread, and so for ever when native code in
 * one of them does not come back.
 */
export function killProcess(reason: unknown): void {
  writeSync(2, `millrace: ${messageOf(reason)} A thread does not end: killing the process.\n`);
  process.kill(process.pid, 'SIGKILL');
}

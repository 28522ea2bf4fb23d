import closeWithGrace from 'close-with-grace';

/**
 * Listens to the signals that ask a process to end: the first SIGINT or SIGTERM aborts the signal that is returned,
 * so that work in flight is finished; the second one ends the process at once, with code 1.
 *
 * @param finished settles with the exit code once the work is done
 * @param deadlineMs how long that may take after the signal; then the process ends with code 1
 */
export function listenForShutdown(
  finished: Promise<number>,
  deadlineMs: number,
  log: (line: string) => void,
): AbortSignal {
  const controller = new AbortController();
  closeWithGrace(
    {
      delay: deadlineMs,
      logger: false,
      onSecondSignal: (signal) => log(`second ${signal}: ending at once`),
      onTimeout: () => log(`not drained within ${deadlineMs} ms: ending`),
    },
    async ({ err }) => {
      if (err !== undefined) log(`unforeseen error: ${err.stack ?? err.message}`);
      controller.abort();
      const code = await finished;
      process.exit(err === undefined ? code : 1);
    },
  );
  return controller.signal;
}

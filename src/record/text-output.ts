import type { Writable } from 'node:stream';

/** Writes text and waits until it is taken. Returns false once nobody reads any more, as when `head` has seen enough. */
export type WriteText = (text: string) => Promise<boolean>;

/** Text to a stream whose reader may go away at any time. Other failures are thrown as they are. */
export function textOutput(stream: Writable): WriteText {
  // The failure of a write reaches its callback; without a listener, it would end the process as well.
  stream.on('error', () => {});
  return (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error) => {
        if (error === null || error === undefined) resolve(true);
        else if ((error as NodeJS.ErrnoException).code === 'EPIPE') resolve(false);
        else reject(error);
      });
    });
}

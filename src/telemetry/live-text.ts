import { createLogUpdate } from 'log-update';

/** What is shown again and again: a picture for a terminal, and one line for everything else. */
export interface LiveContent {
  picture(columns: number): string;
  line(): string;
}

/** The part of a stream that is used: a terminal, or anything that takes text. */
export type LiveStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

const redrawMs = 250;
const plainLineMs = 2_000;
const defaultColumns = 80;

/**
 * Shows content until it is ended: on a terminal a picture that is redrawn in place, elsewhere a plain line every two
 * seconds. Ending it shows the last state and leaves it there.
 */
export function showLive(stream: LiveStream, content: LiveContent): { end(): void } {
  if (!stream.isTTY) {
    const write = () => void stream.write(`${content.line()}\n`);
    const timer = setInterval(write, plainLineMs);
    return {
      end: () => {
        clearInterval(timer);
        write();
      },
    };
  }
  const draw = createLogUpdate(stream);
  const redraw = () => draw(content.picture(stream.columns ?? defaultColumns));
  redraw();
  const timer = setInterval(redraw, redrawMs);
  return {
    end: () => {
      clearInterval(timer);
      redraw();
      draw.done();
    },
  };
}

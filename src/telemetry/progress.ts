import { createLogUpdate } from 'log-update';

/** A piece of work whose progress people watch. */
export interface Progress {
  /** Says how much is done, with a word beside it; may be called as often as one likes. */
  update(done: number, note?: string): void;
  /** Writes a line that stays, above what is redrawn. */
  log(line: string): void;
  /** Ends the drawing, with a last line if there is one. */
  end(line?: string): void;
}

export interface ProgressOptions {
  /** All there is to do, where it is known. */
  readonly total?: number | undefined;
  /** What is counted, such as `rows`; `bytes` are shown as kB, MB and GB. */
  readonly unit: string;
}

/** The part of a stream that is used: a terminal, or anything that takes text. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

const redrawMs = 100;
const plainLineMs = 5_000;
const barWidth = 24;

/** A bar that is redrawn on a terminal; elsewhere a plain line every few seconds. */
export function createProgress(stream: ProgressStream, options: ProgressOptions): Progress {
  return stream.isTTY ? terminalProgress(stream, options) : plainProgress(stream, options);
}

function terminalProgress(stream: ProgressStream, options: ProgressOptions): Progress {
  const draw = createLogUpdate(stream);
  const started = performance.now();
  let drawn = -Infinity;
  return {
    update(done, note) {
      const now = performance.now();
      if (now - drawn < redrawMs) return;
      drawn = now;
      const { total } = options;
      const picture = total === undefined ? '' : `${bar(done / total)} `;
      draw(picture + describeProgress(done, (now - started) / 1000, options, note));
    },
    log(line) {
      draw.clear();
      stream.write(`${line}\n`);
      // What was cleared is drawn again with the next update.
      drawn = -Infinity;
    },
    end(line) {
      draw.clear();
      draw.done();
      if (line !== undefined) stream.write(`${line}\n`);
    },
  };
}

function plainProgress(stream: ProgressStream, options: ProgressOptions): Progress {
  const started = performance.now();
  let written = started;
  return {
    update(done, note) {
      const now = performance.now();
      if (now - written < plainLineMs) return;
      written = now;
      stream.write(`${describeProgress(done, (now - started) / 1000, options, note)}\n`);
    },
    log(line) {
      stream.write(`${line}\n`);
    },
    end(line) {
      if (line !== undefined) stream.write(`${line}\n`);
    },
  };
}

/** Such as `45 %, 3,150 of 7,000 rows, 12,300 rows/s, 1 s left`. */
export function describeProgress(
  done: number,
  seconds: number,
  { total, unit }: ProgressOptions,
  note?: string,
): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const parts = [];
  if (total !== undefined && total > 0) {
    parts.push(`${Math.min(100, Math.floor((100 * done) / total))} %`);
    const amount = formatQuantity(done, unit);
    const withoutUnit = unit === 'bytes' ? amount : amount.slice(0, -unit.length - 1);
    parts.push(`${withoutUnit} of ${formatQuantity(total, unit)}`);
  } else {
    parts.push(formatQuantity(done, unit));
  }
  if (rate > 0) parts.push(`${formatQuantity(rate, unit)}/s`);
  if (total !== undefined && rate > 0 && done < total) {
    parts.push(`${Math.ceil((total - done) / rate)} s left`);
  }
  if (note !== undefined) parts.push(note);
  return parts.join(', ');
}

/** Such as `7,000 rows` or `3.1 MB`. */
export function formatQuantity(amount: number, unit: string): string {
  if (unit !== 'bytes') {
    const digits = amount < 100 && !Number.isInteger(amount) ? 1 : 0;
    return `${formatNumber(amount, digits)} ${unit}`;
  }
  const step = Math.min(3, Math.max(0, Math.floor(Math.log10(Math.max(1, amount)) / 3)));
  const scaled = amount / 1000 ** step;
  return `${formatNumber(scaled, step === 0 ? 0 : 1)} ${['bytes', 'kB', 'MB', 'GB'][step]}`;
}

/** With commas between the thousands, whatever the language of the machine. */
function formatNumber(amount: number, digits: number): string {
  return amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function bar(share: number): string {
  const filled = Math.round(barWidth * Math.min(1, Math.max(0, share)));
  return '█'.repeat(filled) + '░'.repeat(barWidth - filled);
}

/** @typedef {(text: string) => void} Detail */

/**
 * Shows the steps of a set-up on a stream. On a terminal the line of the running step counts the seconds in place;
 * elsewhere a line stands at the start and at the end of each step, with its details now and then.
 */
export class Steps {
  #stream;
  #total;
  #number = 0;

  /**
   * @param {{ isTTY?: boolean, columns?: number, write(text: string): unknown }} stream
   * @param {number} total how many steps there will be; a single one is not numbered
   */
  constructor(stream, total) {
    this.#stream = stream;
    this.#total = total;
  }

  /**
   * Does one step, and says what it is and how long it took.
   *
   * @template T
   * @param {string} title such as `installing packages`
   * @param {(detail: Detail) => Promise<T>} work calls `detail` with how far it is
   * @returns {Promise<T>}
   */
  async run(title, work) {
    this.#number += 1;
    const heading = `millrace: ${title}${this.#total > 1 ? ` (${this.#number}/${this.#total})` : ''}`;
    const line = this.#stream.isTTY
      ? new LiveLine(this.#stream, heading)
      : new LogLine(this.#stream, heading);
    const startMs = performance.now();
    try {
      const result = await work((text) => line.detail(text));
      line.end(`${((performance.now() - startMs) / 1_000).toFixed(1)} s`);
      return result;
    } catch (error) {
      line.end('failed');
      throw error;
    }
  }

  /** A line of its own, between steps. @param {string} text */
  say(text) {
    this.#stream.write(`millrace: ${text}\n`);
  }
}

const refreshMs = 200;
const logEveryMs = 5_000;

class LiveLine {
  #stream;
  #heading;
  #text = '';
  #startMs = performance.now();
  #timer;

  /** @param {{ columns?: number, write(text: string): unknown }} stream @param {string} heading */
  constructor(stream, heading) {
    this.#stream = stream;
    this.#heading = heading;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), refreshMs);
    this.#timer.unref();
  }

  /** @param {string} text */
  detail(text) {
    this.#text = text;
  }

  /** @param {string} outcome */
  end(outcome) {
    clearInterval(this.#timer);
    this.#write(`${this.#heading} … ${outcome}\n`);
  }

  #draw() {
    const seconds = Math.floor((performance.now() - this.#startMs) / 1_000);
    this.#write([`${this.#heading} …`, this.#text, `${seconds} s`].filter((part) => part !== '').join(' '));
  }

  /** @param {string} text */
  #write(text) {
    const width = this.#stream.columns ?? 80;
    const fitting = text.endsWith('\n') ? text : text.slice(0, width - 1);
    this.#stream.write(`\r\x1b[2K${fitting}`);
  }
}

class LogLine {
  #stream;
  #heading;
  #lastMs = performance.now();

  /** @param {{ write(text: string): unknown }} stream @param {string} heading */
  constructor(stream, heading) {
    this.#stream = stream;
    this.#heading = heading;
    stream.write(`${heading} …\n`);
  }

  /** @param {string} text */
  detail(text) {
    if (performance.now() - this.#lastMs < logEveryMs) return;
    this.#lastMs = performance.now();
    this.#stream.write(`${this.#heading} … ${text}\n`);
  }

  /** @param {string} outcome */
  end(outcome) {
    this.#stream.write(`${this.#heading} … ${outcome}\n`);
  }
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performanceImage, performancePage, type Failure, type Report } from './report.js';

/**
 * The newest report of each benchmark, in a folder: `performance.json` has them as data, and `performance.md` and
 * `images/performance.svg` are drawn from it. One that is measured again takes the place of the one before.
 */
export class ReportStore {
  readonly #folder: string;
  /** Names of benchmarks, in the order of the page; of others, nothing is kept. */
  readonly #order: readonly string[];

  constructor(folder: string, order: readonly string[]) {
    this.#folder = folder;
    this.#order = order;
  }

  /** The page that it writes. */
  get page(): string {
    return join(this.#folder, 'performance.md');
  }

  async put(report: Report | Failure): Promise<void> {
    const byName = new Map((await this.#read()).map((each) => [each.benchmark, each]));
    byName.set(report.benchmark, report);
    const reports = this.#order.flatMap((name) => byName.get(name) ?? []);
    await mkdir(join(this.#folder, 'images'), { recursive: true });
    await writeFile(join(this.#folder, 'images', 'performance.svg'), performanceImage(reports));
    await writeFile(this.page, performancePage(reports));
    await writeFile(this.#data, `${JSON.stringify(reports, undefined, 2)}\n`);
  }

  async #read(): Promise<(Report | Failure)[]> {
    try {
      return JSON.parse(await readFile(this.#data, 'utf8')) as (Report | Failure)[];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  get #data(): string {
    return join(this.#folder, 'performance.json');
  }
}

import { defineOptions, type Compiled } from '../config/options.js';
import { MillraceError } from '../errors.js';

/** Options of every program that reads CSV. */
export const csvOptions = defineOptions({
  delimiter: {
    type: 'string',
    default: ',',
    description: 'Character between fields; "tab" for a tab',
    placeholder: 'CHAR',
    section: 'CSV',
  },
  quote: {
    type: 'string',
    default: '"',
    description: 'Character around fields; "none" when quotes mean nothing',
    placeholder: 'CHAR',
    section: 'CSV',
  },
  columns: {
    type: 'list',
    description: 'Names of the columns, for files without a header',
    section: 'CSV',
  },
  maxRowBytes: {
    type: 'integer',
    default: 512 * 1024,
    min: 16,
    max: 64 * 1024 * 1024,
    description: 'Longest row that is read; a longer one is rejected',
    section: 'CSV',
  },
});

/** The compiled form of `csvOptions`. */
export type CsvOptions = Compiled<typeof csvOptions>;

/** What holds where nothing is said. */
export const usualCsvOptions: CsvOptions = {
  delimiter: csvOptions.delimiter.default,
  quote: csvOptions.quote.default,
  columns: undefined,
  maxRowBytes: csvOptions.maxRowBytes.default,
};

/** What the reader of bytes needs to know. */
export interface CsvFormat {
  /** A byte of ASCII. */
  readonly delimiter: number;
  /** A byte of ASCII; undefined when quotes mean nothing. */
  readonly quote: number | undefined;
  readonly maxRowBytes: number;
}

/** The bytes behind the options. Throws MILLRACE_CONFIG_INVALID. */
export function csvFormat(options: Pick<CsvOptions, 'delimiter' | 'quote' | 'maxRowBytes'>): CsvFormat {
  const delimiter = byteOf('delimiter', options.delimiter === 'tab' ? '\t' : options.delimiter);
  const quote = options.quote === 'none' ? undefined : byteOf('quote', options.quote);
  if (delimiter === quote) {
    throw new MillraceError('MILLRACE_CONFIG_INVALID', 'Give --delimiter and --quote different characters.');
  }
  return { delimiter, quote, maxRowBytes: options.maxRowBytes };
}

function byteOf(option: string, text: string): number {
  const code = text.charCodeAt(0);
  // Any other byte of UTF-8 may be a part of a longer character.
  if (text.length !== 1 || code >= 0x80 || code === 0x0a || code === 0x0d) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `--${option} must be one ASCII character, not ${JSON.stringify(text)}.`,
    );
  }
  return code;
}

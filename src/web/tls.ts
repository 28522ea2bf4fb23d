import { defineOptions, type Compiled } from '../config/options.js';
import { minTlsVersion, readCertificate } from '../config/tls-files.js';
import { MillraceError } from '../errors.js';

const section = 'HTTP';

/** What makes the web server speak HTTPS. */
export const webTlsOptions = defineOptions({
  httpTlsCert: {
    type: 'string',
    placeholder: 'FILE',
    description: 'PEM file of the certificate of this server; with it, HTTPS is spoken and nothing else',
    section,
  },
  httpTlsKey: {
    type: 'string',
    placeholder: 'FILE',
    description: 'PEM file of the private key that belongs to --http-tls-cert',
    section,
  },
});

/** Certificate, key and lowest version for HTTPS, as node:tls takes them. */
export interface WebTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: typeof minTlsVersion;
}

/**
 * What HTTPS needs, or undefined when no certificate was given. Throws MILLRACE_CONFIG_INVALID when only one of the two
 * files was given, MILLRACE_FILE_UNUSABLE for a file that is not what it must be.
 */
export function webTls(options: Compiled<typeof webTlsOptions>): WebTls | undefined {
  const { httpTlsCert: cert, httpTlsKey: key } = options;
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      'Give --http-tls-cert and --http-tls-key together: a certificate is of no use without its key.',
    );
  }
  const files = readCertificate(
    { flag: '--http-tls-cert', file: cert },
    { flag: '--http-tls-key', file: key },
  );
  return { ...files, minVersion: minTlsVersion };
}

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { MillraceError, messageOf } from '../errors.js';
import { readSmallFile } from './small-file.js';

/** A file that was named for TLS, and the flag that named it. */
export interface NamedFile {
  readonly flag: string;
  readonly file: string;
}

/** Far above a whole bundle of authorities. */
const maxPemBytes = 4 * 1024 * 1024;

/** Older versions of TLS are broken, and every broker and client of today has this one. */
export const minTlsVersion = 'TLSv1.2';

/**
 * The PEM file of an authority, or of several. Throws MILLRACE_FILE_UNUSABLE when it cannot be read or has no
 * certificate, which TLS itself would pass over in silence.
 */
export function readAuthority(named: NamedFile): Buffer {
  const pem = readPem(named);
  parseCertificate(named, pem);
  return pem;
}

/**
 * A certificate of ours, with those between it and its authority, and its key; both in PEM. Throws
 * MILLRACE_FILE_UNUSABLE when one of them cannot be read or is not what it must be, when they do not belong together, or
 * when the certificate has expired.
 */
export function readCertificate(
  namedCert: NamedFile,
  namedKey: NamedFile,
): { readonly cert: Buffer; readonly key: Buffer } {
  const cert = readPem(namedCert);
  const certificate = parseCertificate(namedCert, cert);
  if (Date.parse(certificate.validTo) < Date.now()) {
    throw unusable(namedCert, `holds a certificate that expired on ${certificate.validTo}: renew it.`);
  }
  const key = readPem(namedKey);
  if (!certificate.checkPrivateKey(parseKey(namedKey, key))) {
    throw unusable(namedKey, `holds a key that does not belong to the certificate of ${namedCert.flag}.`);
  }
  return { cert, key };
}

function readPem(named: NamedFile): Buffer {
  try {
    return readSmallFile(named.file, maxPemBytes);
  } catch (error) {
    throw unusable(named, `cannot be read: ${messageOf(error)}.`, error);
  }
}

function parseCertificate(named: NamedFile, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unusable(named, 'holds no certificate in PEM.', error);
  }
}

function parseKey(named: NamedFile, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw unusable(named, 'holds no private key in PEM without a passphrase.', error);
  }
}

function unusable({ flag, file }: NamedFile, predicate: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_FILE_UNUSABLE', `The file "${file}" of ${flag} ${predicate}`, { cause });
}

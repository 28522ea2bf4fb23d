/** Headers of a record by name; a name that stands several times has a list, in its order. */
export type Headers = Readonly<Record<string, Buffer | string | (Buffer | string)[]>>;

/** Every header as a pair of name and content, repeated ones too. */
export function* headerEntries(headers: Headers): Generator<[string, Buffer | string]> {
  for (const [name, content] of Object.entries(headers)) {
    if (typeof content === 'string' || Buffer.isBuffer(content)) yield [name, content];
    else for (const each of content) yield [name, each];
  }
}

/** The text of a header that stands once, or the first one's. */
export function headerText(headers: Headers, name: string): string | undefined {
  for (const [each, content] of headerEntries(headers)) {
    if (each === name) return content.toString();
  }
  return undefined;
}

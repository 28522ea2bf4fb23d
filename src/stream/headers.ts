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

/**
 * Headers as the client read them. Kafka allows a header without content; kafkajs reads it and fails when it is to
 * write one, so that it becomes an empty one here. To a header with the name of something that every object has, such
 * as `constructor`, kafkajs adds that; it is taken away again.
 */
export function readHeaders(headers: Readonly<Record<string, unknown>> | undefined): Headers {
  if (headers === undefined) return {};
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, contentOf(value)]));
}

function contentOf(value: unknown): Buffer | string | (Buffer | string)[] {
  if (!Array.isArray(value)) return readContent(value);
  const contents = value.filter(isContent).map(readContent);
  return contents.length === 1 ? contents[0] : contents;
}

const isContent = (value: unknown) => value === null || typeof value === 'string' || Buffer.isBuffer(value);
const readContent = (value: unknown) => (value ?? Buffer.alloc(0)) as Buffer | string;

/** Keeps Avro schemas by number, so that a record needs to carry only the number of its own. */
export interface SchemaStore {
  /**
   * The number of this schema under this subject; a schema that is known keeps its number.
   *
   * @throws MillraceError MILLRACE_SCHEMA_INVALID when it is refused, MILLRACE_REGISTRY_UNAVAILABLE, or
   * MILLRACE_FILE_UNUSABLE
   */
  register(subject: string, avroSchema: string): Promise<number>;
  /** The schema with this number, as text, or undefined when there is none. Throws as `register` does. */
  get(id: number): Promise<string | undefined>;
}

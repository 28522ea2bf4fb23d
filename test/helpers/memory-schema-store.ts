import type { SchemaStore } from '../../src/record/schema-store.js';

/** A store that keeps schemas in memory, and counts how often each id was asked for. */
export function memorySchemaStore(): SchemaStore & { readonly lookUps: number[] } {
  const schemas: string[] = [];
  const lookUps: number[] = [];
  return {
    lookUps,
    register(_subject, avroSchema) {
      const known = schemas.indexOf(avroSchema);
      return Promise.resolve(known === -1 ? schemas.push(avroSchema) : known + 1);
    },
    get(id) {
      lookUps.push(id);
      return Promise.resolve(schemas[id - 1]);
    },
  };
}

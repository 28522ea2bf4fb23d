import { JsonObject } from '../config/json-object.js';
import { checkSchema, fieldTypes, type Field, type Schema } from './schema.js';

/** Reads a schema that was saved as JSON. Throws MILLRACE_SCHEMA_INVALID with what is wrong. */
export function schemaFromJSON(json: unknown): Schema {
  const saved = new JsonObject(json, 'The schema', 'MILLRACE_SCHEMA_INVALID');
  const key = saved.optionalString('key');
  const label = saved.optionalString('label');
  const schema: Schema = {
    name: saved.string('name'),
    fields: saved.objects('fields').map(fieldFromJSON),
    ...(key !== undefined && { key }),
    ...(label !== undefined && { label }),
    features: saved.strings('features'),
  };
  saved.end();
  return checkSchema(schema);
}

function fieldFromJSON(json: JsonObject): Field {
  const size = json.optionalNumber('size', { min: 1, integer: true });
  const field: Field = {
    name: json.string('name'),
    type: json.choice('type', fieldTypes),
    ...(size !== undefined && { size }),
    ...(json.boolean('nullable', false) && { nullable: true }),
  };
  json.end();
  return field;
}

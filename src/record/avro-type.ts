import avro from 'avsc';
import type { AvroJson } from './avro-schema.js';

/**
 * Whole numbers of 64 bits, exact: avsc's own lose the sign and a digit beyond 2^52. What a number cannot hold comes
 * out as a bigint, so that a field nobody asked for does no harm.
 */
const longType = avro.types.LongType.__with({
  fromBuffer(bytes: Buffer): number | bigint {
    const value = bytes.readBigInt64LE();
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  },
  toBuffer(value: number): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: (value: unknown) => Number.isSafeInteger(value),
  compare: (one: number, other: number) => Math.sign(one - other),
});

/** The type of a schema that has been checked by `checkAvroSchema`, or is ours. */
export function avroType(schema: AvroJson): avro.Type {
  return avro.Type.forSchema(schema as avro.schema.AvroSchema, {
    typeHook: (part) => (isLong(part) ? longType : undefined),
  });
}

function isLong(schema: unknown): boolean {
  return schema === 'long' || (schema as { type?: unknown } | null)?.type === 'long';
}

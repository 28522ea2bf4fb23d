/** JSON schema of the body of every answer that is not a success. */
export const errorSchema = {
  type: 'object',
  required: ['code', 'message'],
  properties: {
    code: { type: 'string', description: 'One of the codes of docs/reference/errors.md' },
    message: { type: 'string', description: 'One sentence that says what to do' },
  },
} as const;

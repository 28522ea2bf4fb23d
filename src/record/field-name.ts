/**
 * A column's title as the name of a field: letters, digits and _ stay, whatever is between them becomes one _, and a
 * digit does not come first. `sepal length (cm)` -> `sepal_length_cm`, `2nd` -> `_2nd`. A name stays what it is.
 */
export function fieldNameOf(title: string): string {
  const trimmed = title.trim();
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(trimmed)) return trimmed;
  const name = trimmed.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^_+|_+$/g, '');
  return /^[A-Za-z]/.test(name) ? name : `_${name}`;
}

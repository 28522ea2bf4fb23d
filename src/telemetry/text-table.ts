/**
 * Cells in columns that are two spaces apart.
 *
 * @param lines of the same number of cells
 * @param alignment of each column: `<` to the left, `>` to the right
 */
export function textTable(lines: readonly (readonly string[])[], alignment: string): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const place = (cell: string, column: number) =>
    alignment[column] === '<' ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return lines.map((line) => line.map(place).join('  ').trimEnd()).join('\n');
}

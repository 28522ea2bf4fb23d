/** A name with what is around it in an object, `"name":`, to be found again fast: four bytes are compared at once. */
export class JsonName {
  readonly numBytes: number;
  /** The bytes in fours; the last four overlap with those before unless they come out even. */
  readonly #words: Int32Array;

  /** @param quoted the name in quotes, as it stands in the object, a byte for a character; not empty */
  constructor(quoted: string) {
    const bytes = Buffer.from(`${quoted}:`, 'latin1');
    this.numBytes = bytes.length;
    this.#words = Int32Array.from({ length: Math.ceil(bytes.length / 4) }, (_, word) =>
      bytes.readInt32LE(Math.min(4 * word, bytes.length - 4)),
    );
  }

  /** Whether it begins at `start` and is whole before `end`. */
  standsAt(view: DataView, start: number, end: number): boolean {
    const words = this.#words;
    const lastWord = start + this.numBytes - 4;
    if (lastWord + 4 > end) return false;
    let position = start;
    for (let word = 0; word < words.length - 1; word++, position += 4) {
      if (view.getInt32(position, true) !== words[word]) return false;
    }
    return view.getInt32(lastWord, true) === words[words.length - 1];
  }
}

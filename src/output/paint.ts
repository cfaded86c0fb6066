/** Colours for terminals, as SGR sequences (ECMA-48 §8.3.117). Pure: whether to use them is the caller's to know. */

const SGR = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36', inverse: '7' } as const;

/** Paints text, or leaves it as it is. */
export type Paint = (colour: keyof typeof SGR, text: string) => string;

/** A painter that paints, or one that does not. */
export function paint(isOn: boolean): Paint {
  return (colour, text) => (isOn ? `\u001b[${SGR[colour]}m${text}\u001b[0m` : text);
}

/** A value inside a list of options: QEMU reads a doubled comma as a comma. */
export function value(text: string): string {
  return text.replaceAll(',', ',,');
}

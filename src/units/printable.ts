/** Text that others wrote, for a terminal. Pure. */

/**
 * The text without its control characters (C0, DEL, C1), each as `?`: names in a database, a guest's console and a
 * program's complaint are written by others, and no escape sequence of theirs may reach a terminal. Newlines too; who
 * prints several lines makes each printable.
 */
export function toPrintable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

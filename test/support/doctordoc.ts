/** The rows of docs/doctor.md, from the checks that the code has. */
import { WHY } from '../../src/host/doctor/check.ts';

/** `| CHECK | WHY |` in the order of the code. */
export function doctorRows(): string[] {
  return Object.entries(WHY).map(([name, why]) => `| \`${name}\` | ${why} |`);
}

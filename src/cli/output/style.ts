import { styleText } from 'node:util'

type Tone = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Colours a text where that is shown: on a terminal, and not with NO_COLOR. */
export function paint(tone: Tone, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(tone, text, { stream })
}

// All that moves the cursor, rings, or renames the window: what another machine sends must not do so here.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** A text of somebody else's as a terminal may show it: control characters are written out. */
export function harmless(text: string): string {
  return text.replace(controls, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

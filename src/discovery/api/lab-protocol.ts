/** What a protocol is called here: in the registry of the JSON lab `json` is that of the lab, and others have our names. */
export function protocolOf(proto: string): string {
  return proto === 'json' ? 'lab-json' : proto
}

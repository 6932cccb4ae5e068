/**
 * Whether two texts are the same, in a time that depends on the length of what was given alone: it tells nobody how
 * many characters were right, nor how long the secret is.
 */
export function sameSecret(given: string, secret: string): boolean {
  let differs = given.length ^ secret.length
  for (let i = 0; i < given.length; i++) {
    // Beyond its end the secret is read from its start again; the lengths differ then anyhow.
    differs |= given.charCodeAt(i) ^ secret.charCodeAt(i % secret.length)
  }
  return differs === 0
}

/** Text with what stands before the @ of an address, such as `https://user:password@host`, hidden. */
export function hideCredentials(text: string): string {
  return text.replace(/(^|[/,\s])[^/,\s@]*@/g, '$1(hidden)@');
}

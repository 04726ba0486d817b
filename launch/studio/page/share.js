// Links that hold a whole task, and conversions to and from text.

async function through(stream, bytes) {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

export function toBase64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

// Returns a task as text for an address's fragment.
export async function packTask(task) {
  const bytes = new TextEncoder().encode(JSON.stringify(task));
  const packed = await through(new CompressionStream('deflate-raw'), bytes);
  return toBase64(packed).replace(/\+/g, '-').replace(/\//g, '_')
    .replace(/=+$/, '');
}

// Returns the task of a text from `packTask`; throws if there is none.
export async function unpackTask(text) {
  if (text.length > 30000) throw new Error('the link is too long');
  const plain = text.replace(/-/g, '+').replace(/_/g, '/');
  const bytes = await through(
    new DecompressionStream('deflate-raw'), fromBase64(plain));
  return JSON.parse(new TextDecoder().decode(bytes));
}

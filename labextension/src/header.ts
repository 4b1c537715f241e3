/**
 * Reads the first line of a cell as the `%%graph_step` magic reads it.
 *
 * Pure text in, plain values out; nothing is run and nothing is looked up.
 */

const MAGIC = '%%graph_step';

/** Options that stand alone; every other option takes a value. */
const FLAGS: ReadonlySet<string> = new Set([
  '--blocking',
  '--full-event',
  '--keep',
  '--reraise',
  '--respond',
  '--side-effects',
  '--vectorized'
]);

/** Options whose value is an expression: it ends at the next option. */
const EXPRESSIONS: ReadonlySet<string> = new Set([
  '--arg',
  '--args',
  '--example'
]);

const OPENING = '([{';
const CLOSING = ')]}';

/**
 * Split a line at blanks that stand outside quotes and brackets.
 *
 * `words('a --args {"x": 1}')` is `['a', '--args', '{"x": 1}']`.
 */
export function words(line: string): string[] {
  const found: string[] = [];
  let word = '';
  let depth = 0;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at];
    if (depth === 0 && /\s/.test(char)) {
      found.push(word);
      word = '';
      continue;
    }
    const quoted = /^(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')/.exec(
      line.slice(at)
    );
    if (quoted !== null) {
      word += quoted[0];
      at += quoted[0].length - 1;
      continue;
    }
    if (OPENING.includes(char)) {
      depth += 1;
    } else if (CLOSING.includes(char)) {
      depth = Math.max(0, depth - 1);
    }
    word += char;
  }
  return [...found, word].filter(word => word !== '');
}

/** Give the first word that is neither an option nor an option's value, or ''. */
export function typedName(line: string): string {
  const rest = words(line);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('--')) {
      return word.replace(/^(["'])(.*)\1$/, '$2');
    }
    if (EXPRESSIONS.has(word.split('=', 1)[0])) {
      while (rest.length > 0 && !rest[0].startsWith('--')) {
        rest.shift();
      }
    } else if (!FLAGS.has(word) && !word.includes('=')) {
      rest.shift();
    }
  }
  return '';
}

/** Give the name of the last top-level function or class of a cell, or ''. */
export function definedName(code: string): string {
  const strings =
    /("""|''')[\s\S]*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*/g;
  const definition =
    /^(?:async[ \t]+def|def|class)[ \t]+([\p{L}_][\p{L}\p{N}_]*)/gmu;
  const names = [...code.replace(strings, '""').matchAll(definition)];
  return names.length > 0 ? names[names.length - 1][1] : '';
}

/**
 * Give the step's name when the cell is a step, else null.
 *
 * The name is '' while the cell names nothing and defines nothing.
 */
export function stepName(source: string): string | null {
  // Blank lines and comments may stand above; IPython splits at the first blank.
  const lines = source
    .replace(/^(?:[ \t]*(?:#[^\r\n]*)?\r?\n)+/, '')
    .split(/\r?\n/);
  const [magic, ...header] = lines[0].trimEnd().split(' ');
  if (magic !== MAGIC) {
    return null;
  }
  return typedName(header.join(' ')) || definedName(lines.slice(1).join('\n'));
}

/* Prints the app's table of options as JSON, and its verdict on values: read_options.js FILE '[[section, option, value], …]' */
import { readFileSync } from 'node:fs';

const [, , file, asked] = process.argv;
const table = new Function('baseclass', '_', readFileSync(file, 'utf8'))({ extend: made => made }, words => words);
const told = (_name, one) => one instanceof RegExp ? one.source : typeof one === 'function' ? undefined : one;

function isTaken([section, name, value]) {
	const { pattern, check, longest } = ({ ...table.SECTIONS, ...table.REMOTE })[section].find(one => one.name === name);
	return (!pattern || pattern.test(value)) && (!check || check(value)) && (!longest || [...value].length <= longest);
}

const { SECTIONS: sections, REMOTE: remote, CLIENT: client, WITHOUT_EFFECT: dead } = table;
process.stdout.write(JSON.stringify({ sections, remote, client, dead, judged: JSON.parse(asked).map(isTaken) }, told));

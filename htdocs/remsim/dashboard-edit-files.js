/** Layouts out of and into the page: saved under a name, as a file, as text, and the list of those that there are. */

import { VERSION } from './dashboard-widgets.js';
import { field, openDialog } from './dialog.js';
import { el, fill, setText } from './dom.js';

const MOST_BYTES = 64 * 1024;
const NAME = '(?=.*[A-Za-z])[A-Za-z0-9_\\-]{1,32}';

/** Ask as what to save; `save(name)` -> Promise, whose error is shown. `current`: as what it was opened. */
export function askSave(around, t, current, save) {
	const isNamed = !['mine', 'default', 'built-in'].includes(current), error = el('p.remsim-problem', { role: 'alert' });
	const radio = (value, isChecked) => el('input', { type: 'radio', name: 'remsim-save', value, checked: isChecked });
	const mine = radio('mine', !isNamed), all = radio('default', false), named = radio('', isNamed);
	const name = el('input', { type: 'text', maxlength: 32, 'aria-label': t('Name'), value: isNamed ? current : '', placeholder: 'hall', input: () => { named.checked = true; } });
	const row = (input, title, help, ...more) => el('div.remsim-saveas', {}, el('label', {}, input, ' ', el('strong', {}, title), el('small', {}, help)), more);
	const button = el('button.remsim-primary', { type: 'submit' }, t('Save'));
	const form = el('form.remsim-formbox', {
		novalidate: true,
		submit: async event => {
			event.preventDefault();
			const chosen = [mine, all, named].find(one => one.checked), as = chosen.value || name.value.trim();
			if (!new RegExp(`^${NAME}$`).test(as) || (chosen === named && ['mine', 'auto', 'built-in'].includes(as))) {
				setText(error, t('A name is 1 to 32 letters, digits, - and _, with a letter.'));
				name.focus();
				return;
			}
			button.disabled = true;
			try {
				await save(as);
				dialog.close();
			} catch (problem) {
				setText(error, [problem.message, problem.hint].filter(Boolean).join(' – '));
			} finally {
				button.disabled = false;
			}
		}
	}, row(mine, t('For me'), t('shown when you open the dashboard')), row(all, t('For everybody'), t('shown to all who have none of their own')),
	row(named, t('Under a name'), t('for walls, and for links'), name), error,
	el('div.remsim-dialogend', {}, button, el('button', { type: 'button', click: () => dialog.close() }, t('Cancel'))));
	const dialog = openDialog(around, { title: t('Save the layout'), t }, form);
}

/** Give the layout as a file. */
export function download(layout, name) {
	const url = URL.createObjectURL(new Blob([`${JSON.stringify({ ...layout, version: VERSION }, null, '\t')}\n`], { type: 'application/json' }));
	const link = el('a', { href: url, download: `remsim-layout-${name}.json` });
	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where a text stops being JSON, as {line, column}; null when it is. Browsers do not all tell. */
export function jsonFault(text) {
	let at = 0, farthest = 0;
	const take = pattern => {
		pattern.lastIndex = at;
		const found = pattern.exec(text)?.[0] ?? null;
		if (found !== null)
			farthest = at += found.length;
		return found;
	};
	const sign = one => {
		take(SPACE);
		const isThere = text[at] === one;
		farthest = at += isThere ? 1 : 0;
		return isThere;
	};
	const list = (end, entry) => {
		if (sign(end))
			return true;
		do {
			if (!entry())
				return false;
		} while (sign(','));
		return sign(end);
	};
	const pair = () => {
		take(SPACE);
		return text[at] === '"' && take(SCALAR) !== null && sign(':') && value();
	};
	const value = () => {
		if (sign('{'))
			return list('}', pair);
		return sign('[') ? list(']', value) : take(SCALAR) !== null;
	};
	if (value() && (take(SPACE), at === text.length))
		return null;
	const before = text.slice(0, farthest).split('\n');
	return { line: before.length, column: before[before.length - 1].length + 1 };
}

/** Ask for a layout as file or text; `check(content)` -> Promise of it as the service takes it, `done(layout)`. */
export function askImport(around, t, check, done) {
	const text = el('textarea.remsim-mono', { rows: 10, spellcheck: 'false' }), error = el('p.remsim-problem', { role: 'alert' });
	const file = el('input', { type: 'file', accept: '.json,application/json', change: async () => {
		const [chosen] = file.files;
		setText(error, '');
		if (chosen && chosen.size > MOST_BYTES)
			setText(error, t('The file has more than 64 KB: it is no layout.'));
		else if (chosen)
			text.value = await chosen.text();
	} });
	const button = el('button.remsim-primary', { type: 'submit' }, t('Show it'));
	const form = el('form.remsim-formbox', {
		novalidate: true,
		submit: async event => {
			event.preventDefault();
			setText(error, '');
			let content;
			try {
				content = JSON.parse(text.value);
			} catch {
				const fault = jsonFault(text.value);
				setText(error, text.value.trim() ? t('This is no JSON: line %s, column %s.', fault?.line, fault?.column) : t('Choose a file, or paste a layout.'));
				return;
			}
			button.disabled = true;
			try {
				const layout = await check(content);
				dialog.close();
				done(layout);
			} catch (problem) {
				setText(error, [problem.message, problem.hint].filter(Boolean).join(' – '));
			} finally {
				button.disabled = false;
			}
		}
	}, field(t('File'), file), field(t('or its text'), text), error,
	el('p.remsim-help', {}, t('It is checked and shown; nothing is saved before you press Save.')),
	el('div.remsim-dialogend', {}, button, el('button', { type: 'button', click: () => dialog.close() }, t('Cancel'))));
	const dialog = openDialog(around, { title: t('Import a layout'), t }, form);
}

/** The layouts there are; `open(name)` one of them, `remove(name)` -> Promise, `list()` -> Promise of the API's answer. */
export function showLayouts(around, t, { list, open, remove }) {
	const rows = el('ul.remsim-rows'), error = el('p.remsim-problem', { role: 'alert' });
	const show = async () => {
		try {
			const { mine, layouts } = await list();
			const all = [...(mine ? [{ name: 'mine', title: t('Your own') }] : []), ...layouts, { name: 'built-in', title: t('As the pages come') }];
			fill(rows, all.map(one => el('li', {}, el('strong', {}, one.name === 'mine' || one.name === 'built-in' ? one.title : one.name),
				el('span.remsim-grow', {}, one.problem ? el('span.remsim-problem', {}, one.problem) : one.name === 'default' ? t('for everybody') : one.name === 'mine' || one.name === 'built-in' ? '' : one.title),
				one.problem ? null : el('button', { type: 'button', 'aria-label': t('Open %s', one.name), click: () => { dialog.close(); open(one.name); } }, t('Open')),
				one.name === 'built-in' ? null : el('button.remsim-danger', { type: 'button', 'aria-label': t('Delete %s', one.name), click: event => really(event.target, one.name) }, t('Delete')))));
		} catch (problem) {
			setText(error, problem.message);
		}
	};
	const really = async (button, name) => { // the second press does it
		if (!button.classList.contains('remsim-sure')) {
			button.classList.add('remsim-sure');
			setText(button, t('Delete it?'));
			return;
		}
		try {
			await remove(name);
			await show();
		} catch (problem) {
			setText(error, problem.message);
		}
	};
	const dialog = openDialog(around, { title: t('Layouts'), t }, rows, error);
	show();
}

/** Questions of the eSIM page that need more than yes or no: a form in a dialog, with what it costs above it. */

import { openDialog } from './dialog.js';
import { el } from './dom.js';
import { FormView } from './form.js';

/** Ask; resolves with what `submit(values)` gave, null when it was left. */
export function askForm(ctx, { title, texts = [], schema, submit, submitLabel, danger = false, extra = null }) {
	const { t, root } = ctx;
	return new Promise(resolve => {
		let answer = null;
		const form = new FormView(schema, { t, submitLabel, danger, submit: async values => {
			answer = await submit(values);
			dialog.close();
		} });
		form.beside.append(el('button', { type: 'button', click: () => dialog.close() }, t('Cancel')));
		const dialog = openDialog(root, { title, t, closed: () => resolve(answer) }, texts.filter(Boolean).map(text => el('p', {}, text)), form.root, extra);
		form.fields[0]?.focus();
	});
}

/** What a switch of a modem's card costs, as far as this router knows. */
export function costOfSwitch(ctx, holder) {
	const { t, store } = ctx, modem = store.modems.get(holder.id);
	if (!modem || holder.kind !== 'modem')
		return '';
	if (modem.state !== 'online')
		return t('%s is not online now, so nothing is cut.', holder.name);
	const others = store.list().filter(one => one.id !== holder.id && one.state === 'online');
	return others.length ? t('%s loses its connection for about 40 s. Still online: %s.', holder.name, others.map(one => one.name).join(', '))
		: t('%s loses its connection for about 40 s, and no other modem is online: the router may be cut off meanwhile, and you with it if you come that way.', holder.name);
}

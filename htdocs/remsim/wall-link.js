/** A link for a monitor on a wall: which layout it shows, and a token of its own that sees the wall and nothing else. */

import { CopyBox } from './copy.js';
import { field, openDialog, select } from './dialog.js';
import { el, fill, setText } from './dom.js';

const DAYS = [30, 90, 365];

/** The address of a wall: `base` is that of the page, `layout` null for tiles of all modems. */
export function wallAddress(base, { layout = null, token = null } = {}) {
	const address = new URL(base, location.href);
	for (const [name, value] of Object.entries({ token, layout })) {
		if (value)
			address.searchParams.set(name, value);
	}
	return address.href;
}

/** Open the dialog inside `around`; `options` as the dashboard's, `shown` is the name of the layout that is seen now. */
export async function openWallLink(around, options, shown) {
	const { t, request, links, readonly, throughLuci } = options, error = el('p.remsim-problem', { role: 'alert' });
	const place = el('div.remsim-formbox');
	openDialog(around, { title: t('Wall'), t }, place, error);
	let named = [];
	try {
		named = (await request('layouts')).layouts.filter(one => !one.problem);
	} catch (problem) {
		setText(error, problem.message);
	}
	const layout = select([['', t('Tiles of all modems')], ['default', t('The dashboard for everybody')], ...named.filter(one => one.name !== 'default').map(one => [one.name, one.title ? `${one.name} · ${one.title}` : one.name])],
		named.some(one => one.name === shown) ? shown : '', { change: () => follow() });
	const here = el('a.remsim-button', {}, t('Open it here'));
	const follow = () => { here.href = wallAddress(links.wall, { layout: layout.value }); };
	follow();
	const saved = el('p.remsim-help', {}, t('Walls show layouts that are saved under a name, or for everybody. Pages, rotation and dimming are set under Arrange.'));
	fill(place, field(t('What the wall shows'), layout), saved, throughLuci ? null : el('div.remsim-dialogend', {}, here), readonly ? null : linkForm(options, layout, error));
}

function linkForm({ t, request, links }, layout, error) {
	const name = el('input', { type: 'text', maxlength: 60, value: `Wall ${new Date().toISOString().slice(0, 16).replace('T', ' ').replace(':', '.')}` });
	const days = select([...DAYS.map(count => [count, t('%s days', count)]), ['', t('never')]], 365);
	const button = el('button.remsim-primary', { type: 'submit' }, t('Make a link')), made = el('div');
	return el('form.remsim-formset', {
		novalidate: true,
		submit: async event => {
			event.preventDefault();
			button.disabled = true;
			setText(error, '');
			try {
				const { secret } = await request('tokens', { method: 'POST', body: { name: name.value.trim(), scopes: ['wall'], expires_days: days.value ? Number(days.value) : null } });
				const box = new CopyBox(t, t('The wall\'s link'));
				box.text.rows = 3;
				box.show(wallAddress(links.wall, { layout: layout.value, token: secret }));
				fill(made, el('p', { role: 'status' }, t('This link is shown once. Open it on the monitor: who has it sees the wall, and nothing else. You can revoke it on the Access page.')), box.root);
				box.text.focus();
			} catch (problem) {
				setText(error, [problem.message, problem.hint].filter(Boolean).join(' – '));
				name.focus();
			} finally {
				button.disabled = false;
			}
		}
	}, el('strong', {}, t('A link for a monitor that nobody logs in on')), field(t('Its name'), name), field(t('It ends after'), days), el('div.remsim-dialogend', {}, button), made);
}

/** The configuration of mwan3 as links and policies: looked at first, then taken over. */

import { el, fill } from './dom.js';
import { errorText } from './remote-data.js';

function warningList(warnings) {
	return warnings.length ? el('ul.remsim-lacklist', {}, warnings.map(one => el('li', {}, '⚠ ', one))) : null;
}

export class ImportTab {
	constructor(ctx) {
		const { t, address } = ctx;
		this._ctx = ctx;
		this.heading = el('h2', { tabindex: '-1' }, t('From mwan3'));
		this.place = el('div.remsim-stack');
		this.root = el('section.remsim-editor', { 'aria-label': t('From mwan3') }, el('header.remsim-tools', {}, el('a', { href: address('settings') }, t('‹ Sharing')), this.heading), el('div.remsim-panel', {}, this.place));
	}

	async show() {
		const { t, request, options } = this._ctx;
		fill(this.place, el('p.remsim-muted', {}, t('mwan3’s configuration is being read …')));
		this.heading.focus({ preventScroll: true });
		try {
			const found = await request('links/import/mwan3', { method: 'POST', body: { dry_run: true } });
			fill(this.place, this._found(found), options.readonly || !found.links?.length ? null : el('div.remsim-submit', {}, el('button.remsim-primary', { type: 'button', click: event => this._take(event.target) }, t('Take this over'))));
		} catch (error) {
			fill(this.place, el('p.remsim-problem', {}, errorText(error)), el('button', { type: 'button', click: () => this.show() }, t('Look again')));
		}
	}

	_found({ links = [], policies = '', warnings = [] }) {
		const { t } = this._ctx;
		if (!links.length)
			return warnings.length ? [el('p', {}, el('strong', {}, t('Nothing new would come.'))), warningList(warnings)]
				: [el('p', {}, t('No interface of mwan3 was found in /etc/config/mwan3.')), this._ctx.options.readonly ? null : el('a.remsim-button', { href: this._ctx.address('form') }, t('Add a link'))];
		return [
			el('p', {}, el('strong', {}, t('This would come. Nothing is written yet, and mwan3 is left as it is.'))), warningList(warnings),
			el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Links') }, el('table.remsim-table', {}, el('thead', {}, el('tr', {}, [t('Link'), t('Interface'), t('Priority'), t('Weight'), t('Probes')].map(text => el('th', { scope: 'col' }, text)))),
				el('tbody', {}, links.map(link => el('tr', {}, el('th', { scope: 'row' }, link.title || link.name, link.enabled === false ? el('span.remsim-muted', {}, ` ${t('Off')}`) : null), el('td', {}, link.interface || link.device || ''), el('td', {}, link.priority ?? ''), el('td', {}, link.weight ?? ''), el('td', {}, [link.probe_type, ...(link.probe || [])].filter(Boolean).join(' '))))))),
			policies ? [el('h3', {}, t('Policies')), el('pre', {}, policies)] : null
		];
	}

	async _take(button) {
		const { t, request, data, address } = this._ctx;
		button.disabled = true;
		try {
			const { links = [], warnings = [] } = await request('links/import/mwan3', { method: 'POST', body: { dry_run: false } });
			fill(this.place, el('p', { role: 'status' }, el('strong.remsim-good', {}, `✓ ${links.length === 1 ? t('1 link has come.') : t('%s links have come.', links.length)}`), ' ', t('Stop mwan3 before you switch links on.')),
				warningList(warnings), el('a.remsim-button', { href: address('links') }, t('To the links')));
			this.heading.focus({ preventScroll: true });
			await data.load();
		} catch (error) {
			button.disabled = false;
			this.place.append(el('p.remsim-problem', { role: 'alert' }, errorText(error)));
		}
	}
}

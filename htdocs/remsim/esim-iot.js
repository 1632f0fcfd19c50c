/** What a card tells of SGP.32 (eSIMs of things): who manages it from afar, adding the first eIM, doing what it has waiting. */

import { el, fill, setText } from './dom.js';
import { askForm } from './esim-ask.js';
import { pathOf } from './esim-data.js';
import { sentence } from './esim-words.js';
import { epoch, moment } from './format.js';
import { msg } from './words.js';

const DONE_WORDS = { package: msg('commands for the card'), data: msg('a question about the card'), download: msg('a download') };

export class IotPanel {
	/** `ctx` of esim.js; `id`: the holder. */
	constructor(ctx, id) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx, id });
		this.body = el('div.remsim-stack', {}, el('p.remsim-muted', {}, t('Asking …')));
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.root = el('details.remsim-action', { toggle: () => { if (this.root.open) this.load(); } }, el('summary', {}, el('span', {}, t('Managed from afar (SGP.32)')), el('span.remsim-muted', {}, t('experimental'))), el('div.remsim-inner', {}, this.body, this.error));
	}

	/** A job of the card ended: what it has may be another thing now. */
	worked(job) {
		if (job.kind === 'esim-iot' && job.ended_at && this.root.open)
			this.load();
	}

	async load() {
		const { request } = this._ctx;
		try {
			this._show(await request(pathOf(this.id, '/iot')));
			this.error.hidden = true;
		} catch (error) {
			fill(this.body);
			this._refuse(error);
		}
	}

	_show(view) {
		const { t, store, options } = this._ctx, poll = view.last_poll, ask = (word, path) => el('button', { type: 'button', click: () => this._begin(path) }, word);
		const said = !view.read_at ? t('Not asked yet.') : view.is_iot ? t('This card is made for it.') : t('This card is not made for it: it is managed here.');
		fill(this.body, el('p', {}, said),
			view.read_at ? el('dl.remsim-facts', {}, [[t('SGP.32 version'), view.version], [t('Who asks the eIM'), view.ipa_mode], [t('Gives its certificates'), view.has_certificates === null || view.has_certificates === undefined ? null : t(view.has_certificates ? 'yes' : 'no')], [t('Asked on'), moment(epoch(view.read_at), store.now(), false)]].filter(([, value]) => value).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))) : null,
			view.eims.length ? el('ul.remsim-plainlist', {}, view.eims.map(eim => el('li.remsim-esim-found', {}, el('strong', {}, eim.fqdn || eim.id || t('an eIM without a name')),
				el('span.remsim-muted', {}, [eim.id && eim.fqdn ? eim.id : '', (eim.protocols || []).join(', '), Number.isFinite(eim.counter) && t('counter %s', eim.counter)].filter(Boolean).join(' · '))))) : view.read_at ? el('p.remsim-absent', {}, t('No eIM is on the card.')) : null,
			poll ? [el('h4', {}, t('Last time the eIM was asked: %s', moment(epoch(poll.at), store.now(), false))), poll.done.length ? el('ul.remsim-plainlist', {}, poll.done.map(one => el('li', {}, el(`span.${one.ok ? 'remsim-good' : 'remsim-problem'}`, {}, `${one.ok ? '✓' : '✖'} ${DONE_WORDS[one.kind] ? t(DONE_WORDS[one.kind]) : one.kind}`), one.text ? `: ${one.text}` : ''))) : el('p.remsim-muted', {}, t('It had nothing waiting.'))] : null,
			options.readonly ? null : el('div.remsim-tools', {}, ask(t('Ask the card'), '/iot/read'), view.eims.length ? ask(t('Do what the eIM has waiting'), '/iot/poll') : null, view.is_iot && !view.eims.length ? el('button', { type: 'button', click: () => this._add() }, t('Add the first eIM …')) : null),
			el('p.remsim-help', {}, t('Not supported: %s.', (view.unsupported || []).map(one => t(one)).join('; '))));
	}

	_add() {
		const { t, data } = this._ctx;
		const file = el('input', { type: 'file', 'aria-label': t('The file of the eIM’s operator') });
		const dialog = askForm(this._ctx, {
			title: t('Add the first eIM'), submitLabel: t('Add it'), texts: [t('Whoever runs the eIM can switch, delete and download profiles on this card from afar from then on.')],
			schema: { properties: { blob: { type: 'string', minLength: 1, maxLength: 40000, title: msg('eIM configuration data'), description: msg('In hex or base64, or from the file below.') } }, required: ['blob'] },
			submit: values => data.begin(pathOf(this.id, '/iot/eim'), { body: { blob: values.blob } }),
			extra: el('p', {}, el('label', {}, t('The file of the eIM’s operator'), ' ', file))
		});
		const place = file.closest('dialog')?.querySelector('textarea');
		file.addEventListener('change', async () => { if (file.files[0] && place) place.value = await textOf(file.files[0]); });
		return dialog;
	}

	async _begin(path) {
		this.error.hidden = true;
		try {
			await this._ctx.data.begin(pathOf(this.id, path));
			this._ctx.toJob(this.id);
		} catch (error) {
			this._refuse(error);
		}
	}

	_refuse(error) {
		this.error.hidden = false;
		setText(this.error, error.hint ? `${sentence(error.message)} ${sentence(error.hint)}` : sentence(error.message));
	}
}

/** A file as text: as it is when it is text, else in hex. */
async function textOf(file) {
	const octets = new Uint8Array(await file.arrayBuffer());
	return octets.every(octet => octet === 9 || octet === 10 || octet === 13 || (octet > 31 && octet < 127)) ? new TextDecoder().decode(octets).trim() : [...octets].map(octet => octet.toString(16).padStart(2, '0')).join('');
}

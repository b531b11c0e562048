"""The clients and matters of the practice data."""

from __future__ import annotations

from typing import NamedTuple


class Matter(NamedTuple):
    client_number: str
    client: str
    number: str
    name: str


ACTIVE = (
    Matter("10042", "Harbour Holdings plc", "0007", "Project Heron"),
    Matter("10042", "Harbour Holdings plc", "0008", "Harbour lease"),
    Matter("10042", "Harbour Holdings plc", "0011", "Project Kestrel"),
    Matter("10051", "Société Générale d'Éclairage", "0001", "Acquisition de l'éclairage – phase I"),
    Matter("10051", "Société Générale d'Éclairage", "0002", "Contentieux façade"),
    Matter("10063", "Müller & Söhne GmbH", "0001", "Übernahme Nordstraße"),
    Matter("10063", "Müller & Söhne GmbH", "0003", "Prüfung der Lieferverträge"),
    Matter("10070", "ООО «Северный ветер»", "0001", "Поставка оборудования"),
    Matter("10070", "ООО «Северный ветер»", "0002", "Арбитраж в Стокгольме"),
    Matter("10081", "شركة النخيل القابضة", "0001", "تمويل المشروع"),
    Matter("10081", "شركة النخيل القابضة", "0004", "اتفاقية المساهمين"),
    Matter("10090", "长江实业集团", "0001", "合资企业设立"),
    Matter("10090", "长江实业集团", "0002", "知识产权许可"),
    Matter("10102", "富士精密工業株式会社", "0001", "業務提携契約"),
    Matter("10102", "富士精密工業株式会社", "0002", "特許ライセンス交渉"),
    Matter("10115", "Αιγαίο Ναυτιλιακή Α.Ε.", "0001", "Ναυλοσύμφωνο 2026"),
    Matter("10115", "Αιγαίο Ναυτιλιακή Α.Ε.", "0002", "Διαιτησία Πειραιά"),
    Matter("10120", "Łódź Textiles S.A.", "0001", "Restrukturyzacja zadłużenia"),
    Matter("10133", "O'Brien & Sons <Builders> Ltd", "0001", 'The "Quay" dispute & costs'),
    Matter("10140", "Northgate Hospital Trust", "0001", "Employment tribunal"),
    Matter("10140", "Northgate Hospital Trust", "0002", "Internal investigation"),
    Matter("10151", "Bright Water Utilities", "0001", "Licence renewal"),
    Matter("10151", "Bright Water Utilities", "0002", "Reservoir easements"),
    Matter("10166", "Señor Café S.L.", "0001", "Franquicia – Península"),
    Matter("10171", "Ångström Instruments AB", "0001", "Series B investment"),
    Matter("10171", "Ångström Instruments AB", "0002", "Employee share plan"),
    Matter("10188", "Meadow Housing Association", "0001", "Bond issue 2026"),
    Matter("10199", "Estate of R. J. Whitcombe", "0001", "Probate and trusts"),
)

KNOWLEDGE = (
    Matter("90001", "Precedents", "0001", "Corporate precedents"),
    Matter("90001", "Precedents", "0002", "Finance precedents"),
    Matter("90001", "Precedents", "0003", "Property precedents"),
    Matter("90001", "Precedents", "0004", "Employment precedents"),
    Matter("90002", "Know-how", "0001", "Closing checklists"),
    Matter("90002", "Know-how", "0002", "Dispute resolution notes"),
    Matter("90002", "Know-how", "0003", "Data protection notes"),
    Matter("90002", "Know-how", "0004", "Tax updates"),
    Matter("90003", "Training", "0001", "Induction for trainees"),
    Matter("90003", "Training", "0002", "Drafting workshop – été 2026"),
    Matter("90004", "Bibliothèque", "0001", "Modèles en français"),
    Matter("90004", "Bibliothèque", "0002", "Vorlagen auf Deutsch"),
)

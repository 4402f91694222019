"""What the demo's people, places and services are called."""

from typing import NamedTuple


class Trade(NamedTuple):
    company_id: str
    name: str
    sender: str
    services: tuple[tuple[str, int, bool], ...]
    """(name, minutes, confidential)"""
    branches: tuple[tuple[str, str, str], ...]
    """(name, time zone, address)"""


BERLIN = "Europe/Berlin"
CANARIES = "Atlantic/Canary"

TRADES = (
    Trade(
        "schnittwerk",
        "Schnittwerk Salons",
        "Schnittwerk",
        (("Haarschnitt", 45, False), ("Färben", 120, False), ("Hochsteckfrisur", 90, False), ("Bart", 30, False)),
        (
            ("Schnittwerk Mitte", BERLIN, "Torstraße 12, 10119 Berlin"),
            ("Schnittwerk Altona", BERLIN, "Große Bergstraße 88, 22767 Hamburg"),
            ("Schnittwerk Schwabing", BERLIN, "Leopoldstraße 41, 80802 München"),
            ("Schnittwerk Las Palmas", CANARIES, "Calle Triana 5, 35002 Las Palmas"),
            ("Schnittwerk Südstadt", BERLIN, "Bonner Straße 30, 50677 Köln"),
        ),
    ),
    Trade(
        "praxis-linde",
        "Praxisgruppe Linde",
        "Praxis Linde",
        (
            ("Vorsorge", 30, False),
            ("Physiotherapie", 45, False),
            ("Psychotherapie", 60, True),
            ("Impfung", 15, False),
        ),
        (
            ("Praxis am Lindenplatz", BERLIN, "Lindenplatz 3, 04109 Leipzig"),
            ("Praxis am Fluss", BERLIN, "Uferweg 9, 01067 Dresden"),
            ("Praxis Hafen", BERLIN, "Am Hafen 2, 18055 Rostock"),
            ("Praxis Teneriffa", CANARIES, "Avenida de Anaga 7, 38001 Santa Cruz"),
        ),
    ),
    Trade(
        "rad-und-tat",
        "Rad & Tat Werkstätten",
        "Rad & Tat",
        (("Inspektion", 60, False), ("Bremsen", 45, False), ("E-Bike-Diagnose", 30, False)),
        (
            ("Rad & Tat Nord", BERLIN, "Kieler Straße 77, 24105 Kiel"),
            ("Rad & Tat Süd", BERLIN, "Kaiserstraße 14, 76133 Karlsruhe"),
            ("Rad & Tat Insel", CANARIES, "Calle Real 21, 38800 La Gomera"),
        ),
    ),
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Anna Ben Clara David Elif Finn Greta Hannes Ida Jonas Karla Leon Mia Noah Olga Paul Rosa Samir Tilda Umut "
    "Vera Wim Xenia Yusuf Zoe Björn Jürgen Käthe Søren Łukasz"
)
LAST_NAMES = _words(
    "Albrecht Bauer Çelik Dörr Ebert Fischer Groß Hoffmann Igel Jäger Köhler Lange Müller Neumann Öztürk Peters "
    "Quast Richter Schäfer Thoma Ulrich Vogel Weiß Yıldız Zimmermann"
)

"""Who orders in the demo shop: firms that do not exist, at addresses that do not either."""

from datetime import datetime, timedelta
from random import Random

from django.utils.text import slugify

from orders.models import Currency, Profile, User
from orders.people import store_customers

FIRMS = (
    ("Alder & Finch Bookbinding", "14 Quire Lane", "Norwich", "NR1 7QX", "United Kingdom"),
    ("Atelier Brindille", "8 rue des Copeaux", "Nantes", "44009", "France"),
    ("Bakkerij De Drie Halmen", "Graanpad 21", "Zwolle", "8099 AB", "Netherlands"),
    ("Bergquell Keramik", "Tonweg 5", "Freiburg", "79199", "Germany"),
    ("Blauwdruk Architecten", "Lijnkade 112", "Rotterdam", "3099 CD", "Netherlands"),
    ("Bluebrick Studio", "3 Kiln Yard", "Bristol", "BS1 9QZ", "United Kingdom"),
    ("Bottega Lunaria", "Via delle Fasi 40", "Bologna", "40199", "Italy"),
    ("Büro Nordkante", "Kantstieg 17", "Hamburg", "20999", "Germany"),
    ("Café Morgenrot", "Frühgasse 2", "Leipzig", "04399", "Germany"),
    ("Cartotecnica Verdesca", "Via del Foglio 9", "Lecce", "73199", "Italy"),
    ("Copperleaf Dental", "27 Enamel Road", "Leeds", "LS1 9ZX", "United Kingdom"),
    ("Dachs & Dohle Verlag", "Bauallee 33", "Göttingen", "37099", "Germany"),
    ("Drukarnia Sosna", "ul. Czcionki 12", "Poznań", "60-999", "Poland"),
    ("Eikenhout Interieur", "Nerfstraat 6", "Ghent", "9099", "Belgium"),
    ("Encre & Lin", "15 quai du Buvard", "Lyon", "69199", "France"),
    ("Fabrik Siebenstern", "Sternhof 7", "Dresden", "01399", "Germany"),
    ("Fjordlys Optikk", "Linsegata 4", "Bergen", "5999", "Norway"),
    ("Gartenbau Wiesengrün", "Am Rain 19", "Erfurt", "99199", "Germany"),
    ("Glasstudie Havblik", "Perlevej 11", "Aarhus", "8999", "Denmark"),
    ("Halvmåne Design", "Skuggatan 23", "Malmö", "211 99", "Sweden"),
    ("Hummingbird Payroll", "50 Ledger Street", "Dublin", "D02 XX99", "Ireland"),
    ("Imkerei Goldwabe", "Lindenbogen 1", "Regensburg", "93099", "Germany"),
    ("Kino Astra Nova", "Spulengasse 88", "Vienna", "1999", "Austria"),
    ("Klingenthal Metallbau", "Fräserring 42", "Chemnitz", "09199", "Germany"),
    ("La Petite Rotative", "6 impasse du Plomb", "Lille", "59999", "France"),
    ("Lantern Bay Surveyors", "9 Theodolite Row", "Plymouth", "PL1 9XZ", "United Kingdom"),
    ("Legatoria Sant'Orso", "Via dei Filigrani 3", "Aosta", "11199", "Italy"),
    ("Marktplatz Apotheke", "Mörserplatz 1", "Graz", "8099", "Austria"),
    ("Mosaico Azul", "Rua da Junta 77", "Porto", "4099-999", "Portugal"),
    ("Northlight Studio", "2 Easel Court", "Glasgow", "G1 9ZZ", "United Kingdom"),
    ("Optiko Papír", "Archová 14", "Brno", "602 99", "Czech Republic"),
    ("Papelería Tres Ríos", "Calle del Folio 31", "Valencia", "46999", "Spain"),
    ("Radwerk Kollektiv", "Speichenhof 9", "Münster", "48199", "Germany"),
    ("Rösterei Südhang", "Bohnensteig 28", "Stuttgart", "70199", "Germany"),
    ("Saltmarsh Kitchens", "18 Samphire Way", "Ipswich", "IP1 9QQ", "United Kingdom"),
    ("Schreinerei Astholz", "Hobelgasse 10", "Innsbruck", "6099", "Austria"),
    ("Sonnenuhr Kindergarten", "Zeigerweg 12", "Potsdam", "14499", "Germany"),
    ("Taller Candela", "Calle de la Cera 5", "Seville", "41999", "Spain"),
    ("Tideline Logistics", "Dock 9, Pallet Road", "Cork", "T12 XX99", "Ireland"),
    ("Typografie Oosterlicht", "Letterhof 64", "Utrecht", "3599 XZ", "Netherlands"),
    ("Uhrwerk am Turm", "Federgasse 3", "Bern", "3099", "Switzerland"),
    ("Weberei Flachsblüte", "Schussweg 22", "Zürich", "8099", "Switzerland"),
)


def settle_customers(chance: Random, now: datetime) -> list[User]:
    """Store the firms as customers who cannot log in, and return them with their profiles."""
    customers = [
        _customer(*firm, joined_at=now - timedelta(days=chance.randrange(95, 1200))) for firm in FIRMS
    ]
    store_customers(customers, currency=Currency.EUR)
    return customers


def _customer(
    company: str, street: str, city: str, postal_code: str, country: str, *, joined_at: datetime
) -> User:
    user = User(email=f"orders@{slugify(company)}.example", last_name=company, date_joined=joined_at)
    user.set_unusable_password()
    Profile(user=user, company=company, street=street, city=city, postal_code=postal_code, country=country)
    return user

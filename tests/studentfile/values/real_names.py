"""Names of people, as they are written in many languages, none of which is damaged."""

NAMES: tuple[str, ...] = (
    # English, Irish, Scottish, Welsh
    *("Ana", "O'Dell", "O’Brien", "O´Brien", "O`Neil", "D'Angelo", "MacÉoin", "McÉvoy"),
    *("Ó’Brien", "Ó Súilleabháin", "Ní Dhomhnaill", "Siobhán", "Seán", "Sinéad", "Gráinne"),
    *("Mary-Jane", "Anne–Marie", "St. John", "J.R.", "T.J.", "Jr.", "III", "X", "A", "O", "Ñ", "Ö"),
    *("Smith, Jr.", "Robert (Bob)", 'Robert "Bob"', "Robert “Bob”", "Robert ''Bob''", "De La Cruz"),
    *("Blank", "Unknown", "True", "Empty", "May", "April", "June", "Dec", "Mar", "Tu", "Nat"),
    *("Ffion", "Siân", "Llŷr", "Gwyneth", "Dafydd", "Ŵyn", "Brontë", "Zoë", "Chloé", "Renée"),
    *("Noël", "Beyoncé", "Kaʻimi", "Kaʻiulani", "Kahōkū", "Hōkūleʻa", "Keʻalohi", "Ke‘ala"),
    # Spanish, Catalan, Galician, Basque
    *("José", "María", "Mª José", "Núñez", "Muñoz", "Peña", "Ángel", "Ñíguez", "Íñigo", "Iñaki"),
    *("Gutiérrez", "Güemes", "Agüero", "Sofía", "Lucía", "Raúl", "Óscar", "Úrsula", "Édgar"),
    *("Marcel·la", "Gal·la", "Ça", "Núria", "Òscar", "Àlex", "Jordà", "Begoña", "Etxeberría"),
    # Portuguese
    *(
        "JOÃO",
        "SÃO",
        "CONCEIÇÃO",
        "Conceição",
        "Ângela",
        "Â",
        "Ã",
        "Guimarães",
        "Simões",
        "Antônio",
    ),
    *("António", "Assunção", "Magalhães", "Brandão", "Inês", "Luís", "Leão", "Ávila", "Estêvão"),
    *("Patrícia", "Thaís", "Caê", "Nhá", "Mãe", "Lã", "Mendonça", "Gonçalves", "Araújo", "Açaí"),
    # French
    *("François", "Françoise", "Hélène", "Jérôme", "Gaëlle", "Loïc", "Maël", "Œuvrard", "Lætitia"),
    *("L’Hôte", "D’Été", "d’Étienne", "D’Ávila", "Élodie", "Éric", "Ève", "Île", "Aÿ", "L'Haÿ"),
    *(
        "Crèvecœur",
        "Benoît",
        "Côté",
        "Gérôme",
        "Garçon",
        "Noé",
        "Zoé",
        "Andréa",
        "Thérèse",
        "Aïcha",
    ),
    # Italian
    *("Nicolò", "Niccolò", "Dalì", "Mosè", "Cantù", "Trucillà", "Forlì", "Noè", "D’Àmico"),
    # German, Dutch, Scandinavian, Icelandic, Faroese
    *("Müller", "Jürgen", "Björn", "Größ", "Strauß", "Weiß", "STRAUẞ", "Käthe", "Öztürk", "Übel"),
    *("Ärmel", "Schröder", "Daniëlle", "Andreeßen", "Coördijn", "IJsbrand", "Ĳsbrand", "Åsa"),
    *("Ågren", "Ångström", "Søren", "Øyvind", "Håkon", "Bjørn", "Æsa", "Sæther", "Kjær", "Åse"),
    *("Þór", "Þórdís", "Guðrún", "Davíð", "Sigurður", "Ýmir", "Ásgeir", "Hafþór", "Höskuldur"),
    *("Jóhanna", "Eyþór", "Ægir", "Örn", "Aðalheiður", "Ðóra", "Hjördís", "Ólöf", "Bǫðvarr"),
    # Finnish, Estonian, Latvian, Lithuanian, Sami
    *("Väinö", "Yrjö", "Äijälä", "Õnne", "Jüri", "Tõnu", "Žanna", "Šarūnas", "Ēriks", "Jānis"),
    *("Ģirts", "Ķirsis", "Ļubova", "Ņina", "Ūdris", "Čepaitė", "Žemaitė", "Dovilė", "Jurgė"),
    *("Vėtra", "Ąžuolas", "Įvairys", "Ųla", "Ēvalds", "Māra", "Áilu", "Ŋala", "Čáhppe", "Đorđe"),
    # Polish, Czech, Slovak, Slovene, Croatian, Hungarian, Romanian, Albanian
    *("Łukasz", "Wałęsa", "Żółć", "Świątek", "Ćwik", "Źrebak", "Kościuszko", "Agnieszka", "Bąk"),
    *("Dvořák", "Jiří", "Šimon", "Žofie", "Ěva", "Novák", "Řehoř", "Ťapák", "Ďurica", "Ňuňák"),
    *("Lukáš", "Tomáš", "Matúš", "Ondrúš", "Kubíš", "Ľuboš", "Ľubica", "Ŕehák", "Mĺkvy", "Beneš"),
    *("Matič", "Čuk", "Željko", "Đurđa", "Šešelj", "Ščuka", "Kovačević", "Ćiro", "Anđela"),
    *("György", "László", "Erdős", "Gergő", "Űrös", "Ödön", "Kőszegi", "Tűz", "Őri", "Szűcs"),
    *("Ștefan", "Țepeș", "Băsescu", "Ionuț", "Ţiriac", "Şerban", "Brâncuși", "Înger", "Mădălina"),
    *("Ëngjëll", "Çelik", "Gjergj", "Besë", "Çiçek"),
    # Turkish, Azerbaijani, Kurdish, Turkmen, Maltese
    *("Kılıç", "İbrahim", "Ayşe", "Yağmur", "Gökçe", "Çağla", "Ümit", "Şule", "Iğdır", "IŞIK"),
    *("Əli", "Gülnarə", "Həsən", "Məmmədov", "Şêrko", "Jîyan", "Ňury", "Ýusup", "Ħaġar", "Ġorġ"),
    *("Ċensu", "Żammit"),
    # Vietnamese, pinyin, Yoruba, Igbo, Hausa, Maori, Navajo, Hmong
    *("Nguyễn", "Trần", "Phạm", "Đặng", "Lê", "Võ", "Bùi", "Hồ", "Thị", "Ánh", "Ngọc", "Phương"),
    *("Ưng", "Ơn", "Huỳnh", "Ỷ", "Đỗ", "Mỹ", "Thảo", "Hằng", "Quốc", "Dũng", "Ân", "Ông", "Ê Đê"),
    *("Lǐ", "Wáng", "Xǔ", "Zhāng", "Lǚ", "Ọlá", "Ṣadé", "Ẹniọlá", "Adébáyọ̀", "Chukwụ", "Ńkechi"),
    *("Ɗan", "Ɓala", "Aroha", "Tāne", "Ngāti", "Whāea", "Łee", "Yázhí", "Bidáá’", "Nhia", "Akyerε"),
    # Other scripts
    *("Пётр", "Иванов", "Їжак", "Ґалаґан", "Ђорђе", "Ълъков", "Ωμέγα", "Γιώργος", "Παπαδόπουλος"),
    *(
        "محمد",
        "فاطمة",
        "علی‌رضا",
        "משה",
        "שָׂרָה",
        "小明",
        "王",
        "山田",
        "花子",
        "김민준",
        "राम",
        "প্রিয়া",
        "ஆனந்த்",
        "สมชาย",
    ),
    *("Արամ", "გიორგი", "አበበ", "ᏣᎳᎩ", "ချစ်", "ᐃᓄᒃ", "සුනිල්"),
)
"""Correct names in mixed case."""
